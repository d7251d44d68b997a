package bots

import (
	"embed"
	"io/fs"
)

//go:embed shop
var builtIn embed.FS

// Shop is the built-in bot: the folder that an admin would write. It is the bot of every merchant whose config names none.
func Shop() fs.FS {
	sub, err := fs.Sub(builtIn, "shop")
	if err != nil {
		panic(err) // the folder is embedded
	}
	return sub
}
