package cli

import "runtime/debug"

// growth is how much the heap may grow, in percent, before it is collected. What lives on is small, a few megabytes, and what a
// message leaves behind is much: collecting half as often as Go would by itself saves a good part of the collector's work for some
// tens of megabytes under full load.
const growth = 200

// tuneMemory sets the collector for a server, unless the operator has set GOGC.
func tuneMemory(getenv func(string) string) {
	if getenv("GOGC") == "" {
		debug.SetGCPercent(growth)
	}
}
