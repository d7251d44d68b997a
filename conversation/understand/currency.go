package understand

import (
	"slices"
	"strings"

	"parley/commerce/money"
)

// coin is what a name of money stands for: one of several currencies ("dollar"), surest first, or with none of them
// whatever is spoken of ("bucks").
type coin struct {
	of    []money.Currency
	minor bool // cents, pence
	named bool
	code  bool // by its ISO code, which settles whose dollar is meant
}

// currency settles which one is meant when the talk is of c.
func (k coin) currency(c money.Currency) money.Currency {
	if len(k.of) == 0 || slices.Contains(k.of, c) {
		return c
	}
	return k.of[0]
}

// with joins what stands before and behind a number ("$15 CAD"); it is false when the two contradict each other.
func (k coin) with(other coin) (coin, bool) {
	if !k.named {
		return other, true
	}
	if !other.named || len(other.of) == 0 {
		return k, k.minor == other.minor || !other.named
	}
	if k.minor != other.minor {
		return k, false
	}
	both := coin{named: true, minor: k.minor, code: k.code || other.code}
	for _, c := range k.of {
		if slices.Contains(other.of, c) {
			both.of = append(both.of, c)
		}
	}
	return both, len(both.of) > 0
}

func coins(codes string, minor bool) coin {
	k := coin{named: true, minor: minor}
	for _, c := range strings.Fields(codes) {
		k.of = append(k.of, money.Currency(c))
	}
	return k
}

const dollars = "USD AUD CAD NZD HKD SGD TWD BSD BBD BZD BMD FJD GYD JMD LRD NAD TTD XCD MXN"

// signs are the same in every language.
var signs = map[string]coin{
	"$": coins(dollars, false), "€": coins("EUR", false), "£": coins("GBP EGP", false), "¥": coins("JPY CNY", false), "元": coins("CNY TWD", false),
	"₹": coins("INR", false), "₺": coins("TRY", false), "₽": coins("RUB", false), "₴": coins("UAH", false), "₩": coins("KRW", false), "₪": coins("ILS", false),
	"₫": coins("VND", false), "₱": coins("PHP", false), "฿": coins("THB", false), "₦": coins("NGN", false), "₡": coins("CRC", false), "₾": coins("GEL", false),
	"₭": coins("LAK", false), "₸": coins("KZT", false), "₮": coins("MNT", false), "₲": coins("PYG", false), "₵": coins("GHS", false), "₨": coins("INR PKR LKR NPR", false),
	"zł": coins("PLN", false), "kč": coins("CZK", false), "¢": coins(dollars, true),
}

// prefixes tell whose dollar a following "$" is.
var prefixes = map[string]string{
	"us": "USD", "c": "CAD", "ca": "CAD", "a": "AUD", "au": "AUD", "nz": "NZD", "hk": "HKD", "s": "SGD", "nt": "TWD", "mex": "MXN", "mx": "MXN", "r": "BRL",
}

// isoCodes are the codes of money in use. Those of clashing are words as well and count only in capitals behind a number.
var (
	isoCodes = wordSet(`aed afn amd aoa ars aud awg azn bbd bdt bgn bhd bif bmd bnd brl bsd btn bwp byn bzd cad cdf chf clp cny
		crc cve czk djf dkk dop dzd egp etb eur fjd fkp gbp ghs gip gmd gnf gtq gyd hkd hnl htg huf idr ils inr iqd irr isk jmd jod jpy kes kgs khr
		kmf kpw krw kwd kyd kzt lbp lkr lrd lsl lyd mdl mga mkd mmk mnt mru mvr mwk mxn myr mzn ngn nio nok npr nzd omr pab pgk php
		pkr pln pyg qar rsd rwf sbd scr sdg sek sgd shp sle srd ssp stn svc syp szl thb tjs tmt tnd ttd twd tzs uah ugx usd uyu uzs ves vnd vuv
		wst xaf xcd xof xpf yer zar zmw`)
	clashing = wordSet("all ang bam bob cop cup gel lak mad mop mur nad pen ron rub sar sos top try")
)

func wordSet(words string) map[string]bool {
	set := map[string]bool{}
	for w := range strings.FieldsSeq(words) {
		set[w] = true
	}
	return set
}
