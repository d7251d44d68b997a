package understand

import (
	"maps"
	"slices"
	"strings"
)

var english = lexicon{
	tag:      "en",
	grouping: ',',

	stop: []string{
		"stop", "stopall", "stop all", "quit", "revoke", "opt out", "optout", "unsubscribe", "unsubscribe me", "stop it", "stop this", "stop that",
		"stop messages", "stop messaging me", "stop texting me", "stop writing me", "stop sending me messages", "stop sending messages",
		"no more messages", "remove me", "delete me", "leave me alone", "dont message me", "dont text me", "do not contact me", "dont contact me",
		"dont write me", "dont message me again", "dont text me again", "never message me again",
	},
	stopCancel: []string{"cancel", "end"},
	whole: map[string][]string{
		"start":       {"start", "unstop", "restart", "resume", "subscribe", "start again", "subscribe again", "subscribe me"},
		"help":        {"help", "info", "help me", "i need help", "menu", "commands"},
		"human":       {"human", "agent", "person", "staff", "operator", "representative", "a person", "a human", "real person", "support", "live agent", "customer service"},
		"cancel":      {"cancel it", "cancel that", "cancel this", "abort", "never mind", "nevermind", "forget it", "i changed my mind", "changed my mind"},
		"yes":         {"do it", "lets do it", "lets do that", "go ahead", "go for it", "sure thing", "sounds good", "sounds great", "works for me", "fine by me", "fine with me", "lets go", "you have a deal", "its a deal", "we have a deal", "i accept", "i agree"},
		"language_en": {"english", "in english", "en"},
		"language_de": {"german"},
		"price":       {"price", "the price", "cost"},
		"stock":       {"stock", "available", "availability", "in stock"},
		"order":       {"order status", "my order", "my orders", "tracking", "status"},
		"buy":         {"buy", "can i buy it", "can i buy this", "can i have it", "can i get it", "can i order it", "could i buy it"},
	},
	intents: map[string][]string{
		"help":        {"what can you do", "what can i ask|do|say", "how can you help", "what do you do", "can you help me", "i need help|assistance", "how does this|it work here"},
		"human":       {"speak|talk|chat|connect with|to * person|human|someone|somebody|agent|staff|operator|representative|manager|seller|owner|employee", "real|actual|live person|human|agent please", "i want|need|would a|an real|human|live person|agent|human", "customer service please", "connect|transfer|pass me to|with|on", "speak|talk to * support", "human please", "get me a|an person|human|agent|manager"},
		"cancel":      {"cancel my|the|this|that|it|order", "cancel * order", "i want|need|like to cancel", "can|could you cancel", "please cancel", "^ cancel", "undo that|it|this|my", "take it back"},
		"language_en": {"speak|in|to english", "english please", "^ english"},
		"language_de": {"speak|in|to german", "german please", "^ german"},
		"buy": {
			"buy", "purchase", "ill take|have|buy it|this|that|one|them|both|two|#", "ill take|have|buy the #", "i will take|buy it|this|that|one|them|both|#", "i take it|this|that|them|both|#", "let me have|get it|one|this|#",
			"i want it|this|that|one|them|both|#", "id like|love it|one|this|both|#", "i would like it|one|this|both|#", "i need one|both|#", "order it|this|that|one|both|#", "like|want to order", "place an|the|my order",
			"check out", "checkout", "sign me up for one", "give me one|both", "send|give me one|both|#", "gimme one|both|#", "i want|need to buy|order|get it|this|one|#", "get it|one now",
		},
		"offer": {
			"would|could|can|will|do|wouldnt|couldnt|cant you take|accept|consider|do|go|say|maybe #", "would|could|can|will you * for|at|to #", "would|could|will you * take|accept|consider #", "you|youd|ull take|accept|do #", "^ take|accept #", "^ how|what about #", "how|what about #", "hows #",
			"ill|i give|pay|offer|do|go|bid * #", "i will|would|could|can give|pay|offer|do|go|bid|spend * #", "i offer #", "id give|pay|offer|do|go * #", "id buy|take * for|at #", "offer you|is|of #", "^ offer|bid #", "# is my|the * offer|limit|max|maximum|price", "my|an offer", "my offer is * #", "my best|final|last|max|limit is * #", "make|do|call it #", "lets say|do|call it? #", "say #",
			"would|will|is|does #", "# work|works|ok|okay|fine|deal|do|cash|take|final|max|tops|maximum", "# and|then? its|we|ill|i|you have|take|a|buy|got * deal|it", "# would|will? do|work|be ok|okay|fine|good|acceptable",
			"is # ok|okay|fine|good|enough|possible|acceptable", "not? more|higher than #", "take|buy|have|get|sell it|this|that|them|one|both for|at #", "buy|sell for|at #", "deal|ok|okay|fine|yes|yeah|sure|agreed at|for|with #", "go|come|get down|lower|up? to #", "settle for|at|on #", "meet me at #",
			"can * for #", "all i have is #", "i only? have|got only? #", "i can only * #",
			"best|lowest|final|last|better|lower price", "lower|reduce|drop the|your|its? price", "lower it", "can|could you do better", "do any? better", "negotiable", "negotiate", "a|any|some discount", "discount please", "^ discount", "cheaper", "too expensive|much|pricey", "any deals|wiggle", "haggle", "counter offer|with", "counteroffer", "go lower", "come down", "knock|take|get * # * off", "price reduction",
			"half price|off", "half the price", "meet * middle|halfway", "meet half way", "split the difference",
		},
		".half":     {"^ half $", "half price|off", "half the price"},
		".below":    {"below|under|beneath #", "less|lower|cheaper than #", "drops|falls|down to #"},
		".limit":    {"not|no more|over|above|higher than? #", "at most|max|maximum #", "up to #", "max|maximum|limit is|of? #", "cant|cannot|couldnt|wont * more than #", "cant|cannot go|pay|do * higher|over|above than? #"},
		".off":      {"# off|less|cheaper|discount|reduction|rebate", "discount|reduction|rebate of #", "knock|take|get * # * off", "lower|reduce|drop it|this|price by #", "minus #"},
		".total":    {"# * for the|all|just|only? #"},
		".the":      {"for the #"},
		".single":   {"# * at|@ #", "# x #"},
		".each":     {"# each|apiece|ea", "# per|a piece|item|unit|one", "# for each|one", "each for|at #", "# a pop"},
		".pair":     {"# for the|a? both|pair", "# for both|two|all of them|these|those", "both|pair * for|at #", "# both|together"},
		".both":     {"both"},
		".number":   {"^ # please? $"},
		".pick":     {"^ option|number|choice|no|nr|item|the # one? please? $", "^ # one $"},
		".quantity": {"buy|purchase|order|want|need|take|have|get|send|like #", "buy|purchase|order|want|need|take|have|get me|us|the|just|only|like #", "quantity|qty of? #", "make it # pieces|pcs|x", "# of them|these|those", "gimme #"},
		"price":     {"how much", "what does|do|would * cost", "what is|are|was the|its|your * price", "whats|what the|its|your price|cost", "price|cost of|for|please", "does|do it|this|that|they cost", "the|its price", "what|how expensive"},
		"stock":     {"in stock", "out of stock", "still|is|are|any|it * available", "available", "availability", "sold out", "do|does|have you|it|they still? have|got|any|come|stock", "any|many left|more", "how many * have|left|there", "still have", "have any|some|it"},
		"order":     {"where is|are|s my", "wheres|wheres my|the order|package|parcel|delivery|stuff|item|purchase", "where * my|the order|package|parcel|delivery|item", "order status|number", "status of|on * order|package|delivery|purchase", "track * order|package|parcel|delivery|it", "tracking number|code|link|info|information", "my order|package|parcel|delivery|shipment", "did * order|package * ship|arrive|leave", "has * shipped|sent|arrived", "when will|does|do|is|can * arrive|come|ship|delivered|here|get", "delivery status|tracking", "my * order|package|parcel", "order|package|parcel|delivery|shipment * progress|updates|status|tracked|tracking|doing", "placed an order", "item * get|arrive * here"},
		"no":        {"thats|that|it|is|be|statement|answer * wrong|incorrect|false", "isnt|not * right|correct|true|it", "cant be true|right", "^ false|wrong|incorrect", "not now|today|interested|really|yet|for", "not right now", "id? say no", "no interest", "ill|i pass", "got that|it wrong", "is no $", "wrong answer"},
		"greeting":  {"^ hi|hello|hey|heya|hiya|howdy|yo|greetings|hola|heyo", "^ good morning|afternoon|evening|day", "^ well? hi|hello there?", "how are you", "whats up", "how is it going", "hows it going"},
		"thanks":    {"thanks|thx|thanx|tnx|ty|thankyou|cheers|tysm", "thank|thanks|thx you|u|so|a|for|very|ai", "much appreciated", "many thanks", "i appreciate", "appreciated"},
	},

	yes:     "yes y yep yeah yup yea ya yess yesss yeh aye absolutely definitely affirmative certainly 👍 ✅ 👌",
	weakYes: "ok okay okey k kk okk sure deal agreed fine great good perfect alright right correct cool awesome accepted accept done exactly totally works gladly true agree roger",
	no:      "no nope nah naw never nay 👎 ❌",
	notNo:   []string{"^ no problem|problems|worries|prob|doubt|idea|matter|one|need", "^ never mind"},
	filler: `please pls plz only just maybe perhaps then so well now it its that thats this is hmm hm um uh eh cash today man mate bro dude buddy sir
		max maximum final last best offer price my mine i id im ill can do for the one final about around like lets go with me you all in and of course to do
		sounds sound very much answer maam friend tops tonight`,
	common: `the a an and or of to for with from at on in by is are was were be been am do does did have has had i you he she it we they me him her us them my your his
		its our their this that these those there here what which who when where why how if than then not no can could would should will shall may might must
		about into over after before again all any some more most other such only own same so too very just also please as but up out down it's im ive id ill youre
		dont doesnt isnt arent wasnt cant wont wouldnt couldnt thats whats lets really back still got get want need know like make take give think see look
		buy offer price money cash today tomorrow now shipping postage delivery included incl inc plus each off`,
	asking: "what whats how when where wheres which who whose why is are am was were do does did can could would will has should may isnt arent doesnt any anything anyone",
	but:    "but however unless if although though except instead only maybe perhaps",

	negations: "not dont doesnt didnt wont isnt arent aint never cant cannot couldnt wouldnt shouldnt without neither nor no hardly",
	polite:    []string{"cant|couldnt|wouldnt|wont|dont|doesnt you|we|it|i|that", "why not", "why dont|cant|wont you|we", "isnt|wasnt|arent it|that|they|there", "not only|sure|bad"},

	units: `day days week weeks month months year years hour hours hr hrs minute minutes min mins second seconds sec am pm oclock times time cm mm m km meter meters
		metre metres inch inches ft feet foot yard yards mile miles kg g gram grams lb lbs oz ounce ounces l ml liter liters litre litres gb mb tb ghz mhz watt watts w v volt
		volts mah hz degrees celsius star stars people persons st nd rd th points point bit mp megapixel`,
	pieces:  "x pcs pc piece pieces units unit items item pack packs copies copy sets",
	percent: "percent pct per-cent percentage",
	ranges:  "to or through till until",
	between: "between from",
	and:     "and",
	coins: map[string]string{
		"buck|bucks": "", "dollar|dollars": dollars, "us dollar|us dollars|american dollars": "USD", "canadian dollar|canadian dollars": "CAD",
		"australian dollar|australian dollars": "AUD", "hong kong dollars": "HKD", "singapore dollars": "SGD", "new zealand dollars": "NZD",
		"euro|euros|eu": "EUR", "pound|pounds|quid|sterling|british pounds|pounds sterling|gbp": "GBP", "swiss franc|swiss francs|franc|francs|sfr": "CHF",
		"yen|japanese yen": "JPY", "yuan|rmb|renminbi|chinese yuan|kuai": "CNY", "rupee|rupees|rs": "INR PKR LKR NPR", "indian rupees|indian rupee": "INR",
		"ruble|rubles|rouble|roubles": "RUB", "zloty|zlotys": "PLN", "lira|liras|turkish lira": "TRY", "peso|pesos": "MXN ARS CLP COP PHP DOP UYU", "mexican pesos": "MXN",
		"krona|kronor|swedish kronor": "SEK ISK", "kroner|krone": "NOK DKK", "danish kroner": "DKK", "norwegian kroner": "NOK", "won": "KRW", "rand|rands": "ZAR",
		"dirham|dirhams": "AED MAD", "dinar|dinars": "KWD BHD JOD RSD TND IQD", "baht": "THB", "reais": "BRL", "forint|forints": "HUF", "shekel|shekels": "ILS",
		"hryvnia": "UAH", "naira": "NGN", "ringgit": "MYR", "rupiah": "IDR", "dong": "VND", "riyal|riyals|rial": "SAR QAR OMR",
	},
	cents:  map[string]string{"cent|cents|ct|cts|c": "USD EUR CAD AUD NZD HKD SGD ZAR", "penny|pennies|pence|p": "GBP"},
	notes:  map[string]int64{"fiver": 5, "tenner": 10},
	scales: map[string]int64{"k": 1e3, "thousand": 1e3, "grand": 1e3, "million": 1e6, "millions": 1e6, "mil": 1e6, "mln": 1e6, "billion": 1e9, "bn": 1e9, "hundred": 100, "lakh": 1e5, "crore": 1e7, "dozen": 12},
	ordinals: map[string]int64{
		"first": 1, "1st": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7, "eighth": 8, "ninth": 9, "tenth": 10,
	},
	numbers: "a " + strings.Join(slices.Collect(maps.Keys(englishSmall)), " "),
	spelt:   englishNumber,
}

// englishSmall are the number words below a hundred.
var englishSmall = map[string]int64{
	"zero": 0, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10, "eleven": 11, "twelve": 12,
	"thirteen": 13, "fourteen": 14, "fifteen": 15, "sixteen": 16, "seventeen": 17, "eighteen": 18, "nineteen": 19, "twenty": 20, "thirty": 30,
	"forty": 40, "fourty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90,
}

// englishNumber reads "twenty-five", "a hundred and ten", "two thousand five hundred". A word that does not go on with the
// number before it ends it, so that "twenty-five fifty" is two numbers.
func englishNumber(tokens []token) (numeral, int) {
	var total, group, last int64 // last is the least scale that was said, 0 for none
	i, said := 0, false
	for ; i < len(tokens) && tokens[i].kind == word && (i == 0 || tokens[i].pause == 0); i++ {
		w := tokens[i].text
		small, isSmall := englishSmall[w]
		more := i+1 < len(tokens) && tokens[i+1].pause == 0
		switch {
		case isSmall && (!said || group%100 == 0 && small > 0 || group%100 >= 20 && group%10 == 0 && small > 0 && small < 10):
			group += small
		case w == "a" && i == 0 && more && (tokens[1].text == "hundred" || tokens[1].text == "thousand" || tokens[1].text == "million" || tokens[1].text == "dozen" || tokens[1].text == "grand"):
			group = 1
		case w == "and" && said && (group >= 100 && group%100 == 0 || group == 0 && total > 0) && more && englishSmall[tokens[i+1].text] > 0:
		case w == "hundred" && said && group > 0 && group < 10:
			group *= 100
		case w == "dozen" && said && group > 0 && group < 100 && total == 0:
			return numeral{units: group * 12, words: true}, i + 1
		case said && group > 0 && englishScale(w) > 0 && (last == 0 || englishScale(w) < last):
			last = englishScale(w)
			total += group * last
			group = 0
		default:
			return numeral{units: total + group, words: true, soft: i == 1 && tokens[0].text == "one"}, i
		}
		said = true
	}
	return numeral{units: total + group, words: true, soft: i == 1 && tokens[0].text == "one"}, i
}

func englishScale(w string) int64 {
	switch w {
	case "thousand", "grand":
		return 1e3
	case "million":
		return 1e6
	case "billion":
		return 1e9
	}
	return 0
}
