package adaptertest

import (
	"flag"
	"strconv"
)

// Together lets n tests that are parallel run at once, unless -parallel says how many: by itself go test runs as many as there are
// processors, and a test of a network waits most of its time. A package's TestMain calls it before it runs the tests.
func Together(n int) {
	flag.Parse()
	given := false
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == "test.parallel" })
	if !given {
		_ = flag.Set("test.parallel", strconv.Itoa(n))
	}
}
