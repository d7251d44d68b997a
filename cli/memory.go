package cli

// ballast is how much is set aside for the collector to count, and never touched, so that no memory stands behind it. The collector
// comes when the heap has doubled: what lives on in a server is small, a few megabytes, and what each message leaves behind is much, so
// that it would come too often. Counting more makes it come about half as often while little lives, for some megabytes; when much
// does, under overload, it comes as often as otherwise.
const ballast = 4 << 20

// tuneMemory sets the collector for a server, unless the operator has set GOGC. What it returns must be kept while the server runs.
func tuneMemory(getenv func(string) string) []byte {
	if getenv("GOGC") != "" {
		return nil
	}
	return make([]byte, ballast)
}
