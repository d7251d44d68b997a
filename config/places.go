package config

import (
	"strings"
	"time"
)

// currencies are the active codes of ISO 4217 that people pay with.
const currencies = " AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF " +
	"CHF CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG " +
	"HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD " +
	"MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF " +
	"SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS " +
	"VED VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG "

func checkCurrency(text string) error {
	if len(text) == 3 && strings.Contains(currencies, " "+text+" ") {
		return nil
	}
	if upper := strings.ToUpper(text); upper != text && checkCurrency(upper) == nil {
		return notA("a currency", `write "`+upper+`", in capitals`)
	}
	if code, ok := moneyWords[strings.ToLower(text)]; ok {
		return notA("a currency", `did you mean "`+code+`"?`)
	}
	return notA("a currency", "write its three-letter code, such as EUR, USD or GBP")
}

var moneyWords = map[string]string{"euro": "EUR", "euros": "EUR", "€": "EUR", "dollar": "USD", "dollars": "USD", "$": "USD",
	"pound": "GBP", "pounds": "GBP", "£": "GBP", "franken": "CHF", "sfr": "CHF", "fr": "CHF", "yen": "JPY", "¥": "JPY"}

func checkZone(text string) error {
	if text != "" && text != "Local" {
		if _, err := time.LoadLocation(text); err == nil {
			return nil
		}
	}
	return notA("a time zone", suggestZone(text))
}

// zones are the names suggested for a misspelt one. Any other name of the IANA database is accepted as well.
var zones = strings.Fields(`UTC Africa/Cairo Africa/Casablanca Africa/Johannesburg Africa/Lagos Africa/Nairobi America/Anchorage
	America/Bogota America/Buenos_Aires America/Chicago America/Denver America/Halifax America/Lima America/Los_Angeles
	America/Mexico_City America/New_York America/Phoenix America/Santiago America/Sao_Paulo America/Toronto America/Vancouver
	Asia/Bangkok Asia/Dhaka Asia/Dubai Asia/Ho_Chi_Minh Asia/Hong_Kong Asia/Istanbul Asia/Jakarta Asia/Jerusalem Asia/Karachi
	Asia/Kolkata Asia/Kuala_Lumpur Asia/Manila Asia/Riyadh Asia/Seoul Asia/Shanghai Asia/Singapore Asia/Taipei Asia/Tehran
	Asia/Tokyo Atlantic/Canary Atlantic/Reykjavik Australia/Adelaide Australia/Brisbane Australia/Melbourne Australia/Perth
	Australia/Sydney Europe/Amsterdam Europe/Athens Europe/Belgrade Europe/Berlin Europe/Bratislava Europe/Brussels
	Europe/Bucharest Europe/Budapest Europe/Copenhagen Europe/Dublin Europe/Helsinki Europe/Istanbul Europe/Kyiv Europe/Lisbon
	Europe/Ljubljana Europe/London Europe/Luxembourg Europe/Madrid Europe/Moscow Europe/Oslo Europe/Paris Europe/Prague
	Europe/Riga Europe/Rome Europe/Sofia Europe/Stockholm Europe/Tallinn Europe/Vaduz Europe/Vienna Europe/Vilnius
	Europe/Warsaw Europe/Zagreb Europe/Zurich Pacific/Auckland Pacific/Honolulu`)

// zoneWords are what people write instead of a zone. Abbreviations name an offset, not a place, so each is only a guess.
var zoneWords = map[string]string{"mez": "Europe/Berlin", "mesz": "Europe/Berlin", "cest": "Europe/Berlin", "germany": "Europe/Berlin",
	"deutschland": "Europe/Berlin", "austria": "Europe/Vienna", "wien": "Europe/Vienna", "bst": "Europe/London", "pst": "America/Los_Angeles",
	"pdt": "America/Los_Angeles", "cst": "America/Chicago", "cdt": "America/Chicago", "edt": "America/New_York", "ist": "Asia/Kolkata",
	"jst": "Asia/Tokyo", "z": "UTC", "utc+0": "UTC", "gmt+0": "UTC"}

func suggestZone(text string) string {
	best := zoneWords[strings.ToLower(strings.TrimSpace(text))]
	if best == "" {
		best = nearest(text, zones)
	}
	if best == "" {
		cities := make([]string, len(zones))
		for i, z := range zones {
			cities[i] = z[strings.LastIndex(z, "/")+1:]
		}
		_, city, _ := strings.Cut(text, "/")
		for _, word := range []string{text, city} {
			if near := nearest(word, cities); word != "" && near != "" {
				for i, c := range cities {
					if c == near && best == "" {
						best = zones[i]
					}
				}
			}
		}
	}
	if best == "" {
		return "write region and city, such as Europe/Berlin"
	}
	return `did you mean "` + best + `"?`
}
