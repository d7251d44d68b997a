// Command pictures draws the products of the demo shop: small still lifes of flat shapes, gradients and soft shadows, one
// PNG a product, into the folder given.
package main

import (
	"bytes"
	"fmt"
	"image/png"
	"os"
	"path/filepath"

	"parley/cli/demo"
)

// largest is what a picture may weigh, so that a page of them stays light.
const largest = 30_000

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: pictures FOLDER")
		os.Exit(2)
	}
	if err := drawAll(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func drawAll(folder string) error {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return fmt.Errorf("make the folder of pictures: %w", err)
	}
	for _, p := range demo.Products() {
		draw, ok := scenes[p.SKU]
		if !ok {
			return fmt.Errorf("draw %s: there is no scene for it", p.SKU)
		}
		c := newCanvas()
		backdrops[p.Kind](c)
		draw(c)
		data, err := encode(c)
		if err != nil {
			return fmt.Errorf("draw %s: %w", p.SKU, err)
		}
		if err := os.WriteFile(filepath.Join(folder, p.SKU+".png"), data, 0o644); err != nil {
			return fmt.Errorf("write the picture of %s: %w", p.SKU, err)
		}
	}
	return nil
}

// encode makes the colours a little coarser until the picture is light enough: smooth light weighs most.
func encode(c *canvas) ([]byte, error) {
	e := png.Encoder{CompressionLevel: png.BestCompression}
	for _, step := range []float64{1, 2, 3, 4} {
		var b bytes.Buffer
		if err := e.Encode(&b, c.image(step)); err != nil {
			return nil, err
		}
		if b.Len() < largest {
			return b.Bytes(), nil
		}
	}
	return nil, fmt.Errorf("it weighs more than %d bytes", largest)
}
