package understand

import (
	"maps"
	"slices"
	"strings"
)

var german = lexicon{
	tag:      "de",
	grouping: '.',

	stop: []string{
		"stopp", "stop", "aufhören", "hör auf", "hören sie auf", "abmelden", "abbestellen", "austragen", "abmeldung", "keine nachrichten mehr", "keine nachrichten",
		"nicht mehr schreiben", "schreib mir nicht mehr", "schreiben sie mir nicht mehr", "lass mich in ruhe", "lasst mich in ruhe", "lassen sie mich in ruhe",
		"ich will keine nachrichten mehr", "ich möchte keine nachrichten mehr", "melde mich ab", "melden sie mich ab", "widerrufen", "einwilligung widerrufen",
		"ich widerrufe", "kontaktiert mich nicht mehr", "raus",
	},
	stopCancel: []string{"abbrechen", "abbruch", "ende", "beenden", "schluss", "widerruf"},
	whole: map[string][]string{
		"start":       {"start", "starten", "anmelden", "weiter", "wieder anmelden", "fortsetzen"},
		"help":        {"hilfe", "hilf mir", "info", "menü", "befehle"},
		"human":       {"mensch", "mitarbeiter", "mitarbeiterin", "berater", "person", "ein mensch", "echter mensch", "kundendienst", "kundenservice", "support"},
		"cancel":      {"stornieren", "storno", "stornierung", "vergiss es", "vergessen sie es", "egal", "doch nicht"},
		"yes":         {"machen wir so", "so machen wir das", "so machen wirs", "geht klar", "mach das", "machen sie das", "machen wir", "los", "los gehts", "ich bin dabei", "bin dabei", "ich nehme an", "nehme ich an", "das passt", "klingt gut", "hört sich gut an"},
		"language_de": {"deutsch", "auf deutsch", "de"},
		"language_en": {"englisch"},
		"price":       {"preis", "der preis", "kosten"},
		"stock":       {"verfügbar", "verfügbarkeit", "auf lager", "lieferbar", "bestand", "vorrätig"},
		"order":       {"bestellung", "meine bestellung", "meine bestellungen", "bestellstatus", "lieferstatus", "sendungsverfolgung"},
		"buy":         {"kaufen", "bestellen", "kann ich es kaufen", "kann ich das kaufen", "kann ich es haben", "kann ich das haben"},
	},
	intents: map[string][]string{
		"help":        {"was kannst|können du|sie|ihr", "wie funktioniert das|es|dieser", "ich brauche|bräuchte hilfe", "kannst|könnt|können du|ihr|sie mir helfen", "hilfe bitte", "was kann ich|man hier * tun|machen|fragen|sagen"},
		"human":       {"mit * mensch|menschen|mitarbeiter|mitarbeiterin|person|berater|jemandem|jemand|verkäufer|chef|kundendienst|support|händler * sprechen|reden|schreiben|chatten|verbinden|telefonieren", "mit einem|einer|nem * menschen|mensch|mitarbeiter|mitarbeiterin|person|berater|verkäufer", "richtiger|richtigen|echter|echten|echte mensch|menschen|person|mitarbeiter", "mensch bitte", "mitarbeiter bitte", "verbinde|verbinden mich|sie mich?", "sprechen|reden mit jemandem|jemand|wem"},
		"cancel":      {"storniere|stornieren|stornier", "bestellung|auftrag|kauf * stornieren|abbrechen|zurückziehen|rückgängig|widerrufen", "brich|brechen * ab", "bitte abbrechen", "rückgängig", "^ abbrechen"},
		"language_de": {"auf|in deutsch", "deutsch bitte", "sprichst|sprecht|sprechen|redest|kannst|können|könnt du|ihr|sie * deutsch", "^ deutsch"},
		"language_en": {"auf|in englisch", "englisch bitte", "sprichst|sprecht|sprechen|redest|kannst|können|könnt du|ihr|sie * englisch", "^ englisch"},
		"buy": {
			"kaufe|kauf|kaufen|gekauft", "bestelle|bestell|bestellen", "ich nehme|nehm|nimm es|das|die|den|ihn|sie|beide|eins|einen|eine|#", "nehme|nehm ich", "nehm|nehme es|das|ihn|sie|beide|#",
			"ich will|möchte|hätte|brauche * haben", "ich will|möchte|hätte es|das|den|die|ihn|sie|beide|eins|einen|eine gern|gerne?", "will|möchte ich haben", "hätte gern|gerne es|das|eins|einen|eine|#", "ich will|möchte|brauche|hätte gern|gerne? #",
			"zur kasse", "zahlungspflichtig bestellen", "her damit", "gib mir eins|einen|eine|beide",
		},
		"offer": {
			"nimmst|nehmt|nehmen|akzeptierst|akzeptiert|akzeptieren|verkaufst|verkauft|verkaufen|gibst|gebt|geben|machst|macht|machen|lässt|lassen du|ihr|sie|wir * #", "würdest|würdet|würden|könntest|könntet|könnten|kannst|könnt|können du|ihr|sie|wir * # * machen|geben|verkaufen|lassen|akzeptieren|nehmen|runter|runtergehen|anbieten|gehen|einigen|abgeben|hergeben", "würdest|würdet|würden|könntest|könntet|könnten|kannst|könnt|können du|ihr|sie|wir * für|auf #", "nimmste|machste|gibste|kannste|nehmt * #", "du * #",
			"wie waere|waers|wärs|wäre|siehts|sieht es|stehts * mit|bei|für #", "wie waere|wäre|waers|wärs es? mit? #", "was|wie ist|wäre|wär|hältst du|halten sie mit|von #", "was sagst|hältst|haltet|halten du|ihr|sie zu|von #",
			"ich gebe|geb|zahle|zahl|biete|biet * #", "ich würde|könnte|kann * # * zahlen|geben|bieten|ausgeben|anbieten|bezahlen|hinlegen", "gebe|geb|zahle|biete|biet ich|dir|ihnen|euch * #", "# und|dann ich? nehm|nehms|nehme|kaufe|kaufs|hols|hole", "biete|zahle|gebe|geb #", "würde|könnte|kann ich * # zahlen|geben|bieten|anbieten", "mein|meine angebot|gebot|vorschlag|limit|grenze|vorstellung * #", "angebot|gebot|vorschlag #", "mehr als #", "sagen|machen wir #", "sag|sagen wir? mal? #", "ab für|zu #", "für # nehme|nehm|nimm|kaufe|kauf|würde|hätte|wäre|gekauft|mit|dabei|ok|okay|in|ab",
			"# ok|okay|passt|gehen|geht|ginge|möglich|drin|deal|maximal|höchstens|bar|vb", "# wären|wäre|sind|ist * ok|okay|gut|möglich|drin|super|toll|passend|in", "geht|gehen|ginge|gingen|gehts|reichen|passt|passen|wären|wäre|sind|ist * #", "nehme|nehm|kaufe|kauf * für|zu #", "nur|noch für #", "einverstanden|deal|ok|okay|ja mit|bei|für #", "einigen * auf|bei #", "auf # runter|einigen|runtergehen",
			"letzter|bester|letzte|beste|besten|letzten|niedrigster|besserer|besseren preis", "letzte preis", "festpreis|vhb|verhandlungsbasis", "was ist * letzte|letzter", "verhandelbar|verhandeln|handeln|feilschen", "rabatt|nachlass|preisnachlass|skonto|preisvorschlag", "billiger|günstiger", "zu teuer", "preis * runter|senken|machen", "am preis * machen|drehen", "mit * preis * runter", "entgegenkommen", "angebot|gebot machen|abgeben|unterbreiten", "mache|mach|möchte|will * angebot|gebot", "preis vorschlagen|anbieten|nennen", "gegenangebot", "gegenvorschlag", "spielraum",
			"halber|halben|halbe|hälfte preis|preises|vom|des", "für|um die hälfte", "in der mitte",
		},
		".half":     {"^ die? hälfte $", "halber|halben|halbe preis|preises", "für|um die hälfte", "hälfte * preis|preises"},
		".below":    {"unter|unterhalb|weniger|billiger|günstiger|niedriger als|von? #", "auf # fällt|sinkt|fallen|sinken|gefallen"},
		".limit":    {"nicht|kein|keine|keinen mehr|über|höher als? #", "höchstens|maximal|max|maximum #", "bis zu #", "limit ist|von? #", "nicht|nichts? über #"},
		".off":      {"# rabatt|nachlass|günstiger|billiger|weniger|runter|preisnachlass|skonto|abzug", "rabatt|nachlass|preisnachlass von? #", "um # * runter|runtergehen|reduzieren|senken|billiger|günstiger", "minus|abzüglich #"},
		".total":    {"# * für die|alle|nur|zusammen? #"},
		".the":      {"für die #"},
		".single":   {"# * zu|à|a|je #", "# mal #", "# x #"},
		".each":     {"# pro|das|je|per stück|stk|einheit", "# jeweils|je", "je|jeweils|à #"},
		".pair":     {"# für beide|beides", "# für alle beide", "beide|beides * für|zu #", "# zusammen"},
		".both":     {"beide|beides"},
		".number":   {"^ # bitte? $"},
		".pick":     {"^ nummer|nr|option|variante|die|das|punkt # bitte? $"},
		".quantity": {"ich würde|könnte # nehmen|kaufen|bestellen", "kaufe|kauf|kaufen|bestelle|bestell|bestellen|nehme|nehm|nimm|will|möchte|brauche|hätte|gib|schick|schicken|gerne|gern #", "kaufe|kauf|bestelle|bestell|nehme|nehm|nimm|will|möchte|brauche|hätte ich|gern|gerne|mir|uns|bitte|davon|nur|die|dann|noch #", "kaufe|bestelle|nehme|nehm|hätte|möchte|brauche ich|gern|gerne bitte|gern|gerne|davon|dann|noch|nur #", "# davon|kaufen|bestellen|nehmen", "anzahl|menge von? #"},
		"price":     {"wie viel|teuer", "wieviel", "was kostet|kosten|kostets|kosten|koste|kostn", "kostet|kosten das|es|er|die|der|sie|ein|eine", "preis für|von|bitte|ist", "was|wie * ist|lautet|hoch * preis", "welchen|welcher preis", "kostenpunkt", "was soll|muss|macht es|das|der|die|er|ich * kosten|zahlen|bezahlen", "der|den|euer|dein preis"},
		"stock":     {"auf|am lager", "verfügbar", "lieferbar", "vorrätig", "ausverkauft", "noch|wieder da|welche|erhältlich|eins|einen|eine", "habt|hast|haben ihr|du|sie * noch|auf|in|welche|davon|da|#", "hat|haben|habt|hast|habts * noch", "gibt|gibts es|das|den|die|noch|ihn|sie", "wie viele", "zu haben", "erhältlich", "sofort lieferbar"},
		"order":     {"wo ist|sind|bleibt|steckt|bleiben * meine|mein|die|das|der", "wo * bestellung|paket|lieferung|sendung|päckchen|ware", "meine|meiner|der bestellung|lieferung|sendung|bestellungen", "mein|meinem paket|päckchen|auftrag", "status * bestellung|lieferung|sendung", "wann kommt|kommen|wird|geht|ist|bekomme|erhalte|liefert|liefern", "sendungsnummer|trackingnummer|sendungsverfolgung|sendungsstatus|bestellstatus|lieferstatus", "bestellung|paket|lieferung * verschickt|versandt|versendet|unterwegs|angekommen|da", "schon verschickt|versandt|unterwegs|versendet|raus", "noch? nicht|nichts angekommen|erhalten|da|geliefert"},
		"no":        {"stimmt nicht", "nicht richtig|jetzt|heute|interessiert|wirklich", "kein|keine interesse|lust|bedarf", "lieber|jetzt|heute|besser|doch nicht", "^ falsch", "ist falsch", "auf keinen fall"},
		"greeting":  {"^ hallo|hi|hey|moin|servus|hallöchen|huhu|tach|grüezi|na|griaß|hej", "^ guten|gute|schönen|n tag|morgen|abend|guten", "^ grüß|grüss gott|dich|euch", "^ moin moin", "wie gehts|geht es"},
		"thanks":    {"danke|dankeschön|dankesehr|dankö|danki|merci|thx", "vielen|herzlichen|besten|tausend dank", "dank dir|ihnen|euch|schön"},
	},

	yes:     "ja jo jop jup jep jawohl jaa jaaa joa jawoll jap unbedingt selbstverständlich natürlich absolut definitiv 👍 ✅ 👌",
	weakYes: "ok okay okey oke k in ordnung gut klar sicher deal abgemacht einverstanden gerne gern passt super perfekt prima gebongt genau toll top geht angenommen logo sauber stimmt akzeptiert akzeptiere klingt sehr",
	no:      "nein nee ne nö nope nie niemals 👎 ❌",
	notNo:   []string{"^ kein|keine problem|sorge|ursache|frage|ahnung", "^ ne|nee # ", "^ nicht schlecht|schlimm", "^ ne frage"},
	filler: `bitte nur dann vielleicht so na also mal doch noch eben halt es das die der den ist sind wäre mein meine letztes letzter angebot ich für wären dein ihr gut bar heute
		hmm hm ähm äh höchstens maximal max zahle gebe biete mehr auf dir ihnen euch wir machen sagen mit dabei ganz alles und mir sie du mich für uns das tun machen mach
		so sein`,
	common: `der die das den dem des ein eine einen einem einer eines und oder von mit für zu zum zur auf an am im in aus bei nach vor über unter durch um ohne ist sind war waren
		sein bin bist seid hat habe haben hast habt hatte wird werden würde würdest würden kann kannst können könnt könnte könntest könnten soll muss will willst wollen möchte
		möchten mag ich du er sie es wir ihr mich dich ihn uns euch ihnen mir dir mein meine dein deine unser unsere euer eure dieser diese dieses diesen wer was wie wo wann warum
		wieso welche welcher welches nicht kein keine keinen auch noch schon nur mal doch denn dann wenn aber als so sehr mehr hier da dort jetzt heute morgen bar stück versand
		porto inkl inklusive zzgl plus gern gerne bitte danke wieder sich man ja nein etwas alles viel viele preis angebot kaufen nehmen nimmst nehme davon`,
	asking: `was wie wo wann wer wem wen wieso warum weshalb welche welcher welches welchen wohin woher ist sind war hat habt hast haben kann kannst können könnt könnte gibt gibts geht gehts
		passt wird werden darf muss soll macht bekomme liefert liefern versendet versenden sprichst bist seid gilt funktioniert kommt`,
	but: "aber jedoch außer wenn falls sofern obwohl allerdings sondern statt vielleicht",

	negations: "nicht nich nie niemals kein keine keinen keiner keinem nichts ohne nein weder",
	behind:    "nicht nich nie niemals",
	polite:    []string{"nicht nur|sicher|schlecht", "warum|wieso nicht"},

	units: `tag tage tagen woche wochen monat monate monaten jahr jahre jahren stunde stunden std minute minuten min sekunde sekunden sek uhr mal zentimeter cm mm m km meter zoll kg g gramm
		kilo liter l ml gb mb tb watt w volt v mah grad celsius sterne stern leute personen person punkte punkt quadratmeter qm bit`,
	pieces:  "stück stk st stücke packungen packung pakete mal",
	percent: "prozent",
	ranges:  "bis oder",
	between: "zwischen von",
	and:     "und",
	coins: map[string]string{
		"euronen|mücken|kröten|flocken|tacken|piepen|ocken|öcken": "", "euro|euros|eur|teuro": "EUR", "dollar|dollars": dollars, "us dollar": "USD", "amerikanische dollar": "USD",
		"kanadische dollar|kanadischen dollar|kanadischer dollar": "CAD", "australische dollar": "AUD", "pfund|britische pfund": "GBP", "franken|schweizer franken|stutz|sfr|fr": "CHF",
		"yen": "JPY", "yuan": "CNY", "rupien|rupie": "INR PKR LKR NPR", "indische rupien": "INR", "rubel": "RUB", "zloty": "PLN", "lira": "TRY", "kronen|krone": "SEK NOK DKK CZK ISK",
		"schwedische kronen": "SEK", "dänische kronen": "DKK", "norwegische kronen": "NOK", "tschechische kronen": "CZK", "forint": "HUF", "kambodschanische riel|riel": "KHR",
	},
	cents:  map[string]string{"cent|cents|ct": "EUR USD CAD AUD", "rappen": "CHF", "pence": "GBP"},
	notes:  map[string]int64{"fünfer": 5, "zehner": 10, "zwanziger": 20, "fuffi": 50, "fünfziger": 50, "hunderter": 100, "hunni": 100},
	scales: map[string]int64{"k": 1e3, "tsd": 1e3, "tausend": 1e3, "mio": 1e6, "million": 1e6, "millionen": 1e6, "mrd": 1e9, "milliarde": 1e9, "milliarden": 1e9, "hundert": 100, "dutzend": 12},
	ordinals: map[string]int64{
		"erste": 1, "erster": 1, "erstes": 1, "ersten": 1, "zweite": 2, "zweiter": 2, "zweites": 2, "zweiten": 2, "dritte": 3, "dritter": 3, "drittes": 3, "dritten": 3,
		"vierte": 4, "vierter": 4, "viertes": 4, "vierten": 4, "fünfte": 5, "fünfter": 5, "fünftes": 5, "fünften": 5,
	},
	numbers:  "eine einen einem einer eines anderthalb " + strings.Join(slices.Collect(maps.Keys(germanSmall)), " "),
	compound: germanCompound,
	spelt:    germanNumber,
}

// germanSmall are the numbers below a hundred.
var germanSmall = func() map[string]int64 {
	small := map[string]int64{
		"null": 0, "ein": 1, "eins": 1, "zwei": 2, "zwo": 2, "drei": 3, "vier": 4, "fuenf": 5, "sechs": 6, "sieben": 7, "acht": 8, "neun": 9, "zehn": 10, "elf": 11,
		"zwoelf": 12, "dreizehn": 13, "vierzehn": 14, "fuenfzehn": 15, "sechzehn": 16, "siebzehn": 17, "achtzehn": 18, "neunzehn": 19,
	}
	units := []string{"", "ein", "zwei", "drei", "vier", "fuenf", "sechs", "sieben", "acht", "neun"}
	for i, tens := range []string{"zwanzig", "dreissig", "vierzig", "fuenfzig", "sechzig", "siebzig", "achtzig", "neunzig"} {
		for n, unit := range units {
			if n > 0 {
				unit += "und"
			}
			small[unit+tens] = int64(10*(i+2) + n)
		}
	}
	return small
}()

// germanNumber reads one word, since German writes a number as one: "fünfundzwanzig", "zweitausenddreihundert", "dreieinhalb";
// and what may follow it: "zwei Millionen eintausend".
func germanNumber(tokens []token) (numeral, int) {
	if len(tokens) == 0 || tokens[0].kind != word || len(tokens[0].text) > 80 {
		return numeral{}, 0
	}
	w := tokens[0].text
	soft := w != "eins" && germanSoft(w)
	if w == "anderthalb" {
		return numeral{units: 15, decimals: 1, words: true}, 1
	}
	if whole, ok := strings.CutSuffix(w, "einhalb"); ok {
		if n, ok := germanWhole(whole); ok {
			return numeral{units: n*10 + 5, decimals: 1, words: true}, 1
		}
	}
	n, ok := germanWhole(w)
	if soft {
		n, ok = 1, true
	}
	if !ok {
		return numeral{}, 0
	}
	if len(tokens) > 1 && tokens[1].kind == word && tokens[1].pause == 0 && (tokens[1].text == "million" || tokens[1].text == "millionen") {
		n *= 1e6
		if len(tokens) > 2 && tokens[2].pause == 0 && tokens[2].kind == word {
			if rest, ok := germanWhole(tokens[2].text); ok && !germanSoft(tokens[2].text) {
				return numeral{units: n + rest, words: true}, 3
			}
		}
		return numeral{units: n, words: true}, 2
	}
	return numeral{units: n, words: true, soft: soft}, 1
}

// germanCompound says whether a word is put together as a large number is, or as a half: "zweihundert", "dreieinhalb".
func germanCompound(w string) bool {
	return strings.Contains(w, "hundert") || strings.Contains(w, "tausend") || strings.HasSuffix(w, "einhalb")
}

func germanSoft(w string) bool {
	switch w {
	case "ein", "eine", "einen", "einem", "einer", "eines":
		return true
	}
	return false
}

// germanWhole reads a number below a million written as one word.
func germanWhole(w string) (int64, bool) {
	if left, right, ok := strings.Cut(w, "tausend"); ok {
		return germanParts(left, right, 1000, germanHundreds)
	}
	return germanHundreds(w)
}

func germanHundreds(w string) (int64, bool) {
	if left, right, ok := strings.Cut(w, "hundert"); ok {
		return germanParts(left, right, 100, germanBelowHundred)
	}
	return germanBelowHundred(w)
}

func germanParts(left, right string, scale int64, read func(string) (int64, bool)) (int64, bool) {
	many := int64(1)
	if left != "" {
		var ok bool
		if many, ok = read(left); !ok || many == 0 {
			return 0, false
		}
	}
	if right = strings.TrimPrefix(right, "und"); right == "" {
		return many * scale, true
	}
	rest, ok := read(right)
	return many*scale + rest, ok
}

func germanBelowHundred(w string) (int64, bool) {
	n, ok := germanSmall[w]
	return n, ok
}
