package commerce

import (
	"math"
	"time"
)

// Where few pieces are left, to tell all who wait disappoints most of them. With Policy.Waves as many are told at once as leave a piece for
// each who wants one, nearly always; the next are told half an hour later, of what is left then.

const (
	// waveTime is how long those who were told have before the next are.
	waveTime = 30 * time.Minute
	// conversion is how many of those who are told buy, and disappointment how likely it may be that more do than there are pieces.
	conversion, disappointment = 0.12, 0.05
	// plenty is a stock for which no network is fast enough to disappoint many.
	plenty = 1000
)

// Wave is who was told of a product lately.
type Wave struct {
	Told int       // pieces that they asked for
	Ends time.Time // when the next are told
}

// waveOf is for how many pieces of so many people may be told at once. Each of the last two is one person's for a wave.
func waveOf(pieces int) int {
	if pieces <= 2 {
		return max(pieces, 0)
	}
	// The buyers are binomially distributed. The quantile by which pieces suffice is that of Cornish and Fisher's expansion, solved for
	// the people, which is one too many at times.
	const (
		p    = conversion
		z    = 1.645 // of the standard normal distribution, for 95 %
		skew = (z*z - 1) * (1 - 2*p) / 6
	)
	spread := z * math.Sqrt(p*(1-p))
	root := (math.Sqrt(spread*spread+4*p*(float64(pieces)+0.5-skew)) - spread) / (2 * p)
	people := int(root*root + 0.5)
	for tooFew(people, pieces) > disappointment {
		people--
	}
	return people
}

// tooFew is how likely more of so many people buy than there are pieces.
func tooFew(people, pieces int) float64 {
	enough, log := 0.0, float64(people)*math.Log1p(-conversion) // of the probability that nobody buys, then one, two …
	for buyers := range pieces + 1 {
		enough += math.Exp(log)
		log += math.Log(float64(people-buyers) / float64(buyers+1) * conversion / (1 - conversion))
	}
	return 1 - enough
}

// isScarce says that people are told of the product in waves.
func (p Product) isScarce(policy Policy) bool { return policy.Waves && p.Available() <= plenty }

// TellRoom is for how many pieces people may be told now of what happened to the product. What is for a single watch, which was met when it
// was made, waits for no wave.
func (p Product) TellRoom(o Occurrence, policy Policy, now time.Time) int {
	if o.Single || !p.isScarce(policy) {
		return math.MaxInt
	}
	return p.WaveRoom(now)
}

// WaveRoom is for how many pieces the present wave has room, when the product is scarce.
func (p Product) WaveRoom(now time.Time) int {
	told := p.Wave.Told
	if !now.Before(p.Wave.Ends) {
		told = 0
	}
	return max(0, waveOf(p.Available())-told)
}

// IsLateWave says that who is told now is told in a later wave than the first: no longer at once when what they asked for happened.
func (p Product) IsLateWave(o Occurrence, policy Policy, now time.Time) bool {
	return p.isScarce(policy) && !o.Single && now.Sub(o.At) >= waveTime
}

// countWave notes that somebody is told who asked for so many pieces.
func (p *Product) countWave(pieces int, now time.Time) {
	if !now.Before(p.Wave.Ends) {
		p.Wave = Wave{Ends: now.Add(waveTime)}
	}
	p.Wave.Told += pieces
}
