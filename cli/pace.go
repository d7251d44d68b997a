package cli

import (
	"math"
	"time"

	"parley/adapters"
	"parley/config"
)

// paceOf is how fast an account may send: what its network publishes, but for what the config says.
func paceOf(s config.Settings, published adapters.Pace) *adapters.Pace {
	for name, rate := range map[string]*adapters.Rate{"account": &published.Account, "chat": &published.Chat, "group": &published.Group} {
		if s.Has(name) {
			*rate = rateOf(s.Number(name), rate.Burst)
		}
	}
	return &published
}

// rateOf is a rate of so many messages a second. Without a published burst a second's worth may leave at once.
func rateOf(perSecond float64, burst int) adapters.Rate {
	if perSecond <= 0 {
		return adapters.Rate{}
	}
	if burst == 0 {
		burst = int(math.Ceil(perSecond))
	}
	return adapters.Rate{Count: 1, Per: time.Duration(float64(time.Second) / perSecond), Burst: burst}
}
