//go:build race

package cli

const (
	// raceDetected says that the tests run under the race detector; then the programs that they start do too.
	raceDetected = true
	// slower is how many times longer than without it something may take.
	slower = 6
)
