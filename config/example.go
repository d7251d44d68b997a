package config

import _ "embed" // the example is part of the binary and of docs/config.md

// Example is a file with every setting and its explanation. Lines that begin with # and a setting are to be uncommented.
//
//go:embed example.yaml
var Example string
