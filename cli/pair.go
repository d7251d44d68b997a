package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"rsc.io/qr"

	"parley/adapters"
	"parley/config"
	"parley/store"
	"parley/web"
)

type pairCmd struct {
	Account string `arg:"" help:"The account's name in the config."`
	Phone   string `help:"Show a code to type on the phone with this number, instead of a QR." placeholder:"NUMBER"`
	Config  string `default:"parley.yaml" help:"The config file."`
}

// Run links a phone to an account, unless a server is connected as it: two would fight over the connection. A server that has the
// account as failed, since no phone is linked to it, finds the one that is linked here by itself.
func (c *pairCmd) Run(ctx context.Context, w *world) error {
	phone := ""
	if c.Phone != "" {
		var ok bool
		if phone, ok = web.PhoneNumber(c.Phone); !ok {
			return usagef("%q is not a phone number with its country, like +49 151 23456789", c.Phone)
		}
	}
	ctx, stop := untilStopped(ctx)
	defer stop()
	cfg, s, err := openStore(ctx, w, c.Config)
	if err != nil {
		return err
	}
	defer func() { _ = s.Close() }()
	pairer, err := c.pairer(ctx, w, cfg, s)
	if err != nil {
		return err
	}
	shown := false
	err = pairer.Pair(ctx, phone, func(code string) {
		if phone != "" {
			fmt.Fprintf(w.stdout, "Type this on the phone, under Linked devices, Link with phone number instead: %s\n", code)
		} else if err := printQR(w.stdout, code); err != nil {
			fmt.Fprintf(w.stderr, "parley: draw the QR: %v\n", err)
		} else if !shown {
			fmt.Fprintln(w.stdout, "Scan it with the phone, under Linked devices, Link a device. It changes every 20 seconds or so.")
		}
		shown = true
	})
	switch {
	case err != nil && ctx.Err() != nil:
		return errors.New("stopped before a phone was linked")
	case err != nil:
		return fmt.Errorf("link a phone to account %s: %w", c.Account, err)
	case !shown:
		fmt.Fprintf(w.stdout, "a phone is linked to account %s already\n", c.Account)
	default:
		fmt.Fprintf(w.stdout, "the phone is linked to account %s; parley serve connects it\n", c.Account)
	}
	return nil
}

// pairer makes the account's messenger, or says why there is nothing to pair.
func (c *pairCmd) pairer(ctx context.Context, w *world, cfg *config.Config, s *store.Store) (adapters.Pairer, error) {
	m, a, ok := cfg.Account(c.Account)
	if !ok {
		return nil, usagef("there is no account %q in the config", c.Account)
	}
	in := &installation{cfg: cfg, log: logTo(w, cfg.Log), store: s}
	messenger, _, err := newMessenger(a, in.env(a.Name, func(string, string) {}))
	if err != nil {
		return nil, fmt.Errorf("account %s: %w", a.Name, err)
	}
	pairer, ok := messenger.(adapters.Pairer)
	if !ok {
		return nil, fmt.Errorf("account %s (%s) needs no phone to be linked to it", a.Name, a.Adapter)
	}
	lines, err := accountsOf(ctx, s, m, time.Now())
	if err != nil {
		return nil, err
	}
	for _, l := range lines {
		if l.Name == a.Name && l.served && l.State != "failed" {
			return nil, fmt.Errorf("a server is at work on account %s, which is %s: see %s/admin/accounts/%s/pair, or stop the server first (after a crash wait %s)",
				a.Name, l.State, publicURL(cfg), a.Name, servedFor)
		}
	}
	return pairer, nil
}

// printQR draws a QR for a terminal, two modules to a character. It sets its own colours: on a dark terminal the picture would
// else be the negative, which not every phone reads.
func printQR(w io.Writer, text string) error {
	code, err := qr.Encode(text, qr.L)
	if err != nil {
		return err
	}
	const quiet = 2 // around the picture, in modules
	var b bytes.Buffer
	for y := -quiet; y < code.Size+quiet; y += 2 {
		b.WriteString("\x1b[38;5;16;48;5;231m")
		for x := -quiet; x < code.Size+quiet; x++ {
			switch top, bottom := code.Black(x, y), code.Black(x, y+1); {
			case top && bottom:
				b.WriteRune('█')
			case top:
				b.WriteRune('▀')
			case bottom:
				b.WriteRune('▄')
			default:
				b.WriteByte(' ')
			}
		}
		b.WriteString("\x1b[0m\n")
	}
	_, err = w.Write(b.Bytes())
	return err
}
