// Package cli is the command line: one file a command, each a struct that kong fills and runs.
//
// What does not belong here: work. A command reads its flags, calls the package that does the work and says what came of it.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/signal"
	"regexp"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"
)

// commands is the command line as kong reads it. Every flag has an environment twin: -addr is PARLEY_ADDR.
type commands struct {
	Demo     demoCmd     `cmd:"" help:"Open the demo shop; nothing to configure."`
	Serve    serveCmd    `cmd:"" help:"Serve what a config names."`
	Check    checkCmd    `cmd:"" help:"Check config, flows and transcripts."`
	Test     testCmd     `cmd:"" help:"Run .chat transcripts against their flows."`
	Chat     chatCmd     `cmd:"" help:"Talk to the bot in this terminal; nothing is stored."`
	Diagram  diagramCmd  `cmd:"" help:"Draw a flow."`
	Invite   inviteCmd   `cmd:"" help:"Print a link that signs a person of the staff in."`
	Key      keyCmd      `cmd:"" help:"Manage REST keys."`
	Accounts accountsCmd `cmd:"" help:"List the accounts and how they stand."`
	Pair     pairCmd     `cmd:"" help:"Link a phone to an account."`
	Letters  lettersCmd  `cmd:"" help:"List messages that were given up, or send them again."`
	Poison   poisonCmd   `cmd:"" help:"List events that could not be handled, or try them again."`
	Backup   backupCmd   `cmd:"" help:"Copy the database to a file while it is in use."`
	Migrate  migrateCmd  `cmd:"" help:"Bring the database's schema up to date."`
	Version  versionCmd  `cmd:"" help:"Print the version."`
}

const description = `Parley sells in chat: a shopper subscribes on a product page, is told in the messenger, and buys, asks or haggles there.

Flags may be written with one dash or two; each has an environment twin, -addr for example PARLEY_ADDR.`

// world is what a command may reach of the process it runs in. Tests pass buffers.
type world struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	getenv         func(string) string
}

// Exit codes, as the doors promise them.
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2
)

// errReported ends a command with code 1 when all that is to be said has been said.
var errReported = errors.New("reported")

// usageError ends a command with code 2: the command line itself is wrong.
type usageError struct{ sentence string }

func (e usageError) Error() string { return e.sentence }

func usagef(format string, args ...any) error { return usageError{fmt.Sprintf(format, args...)} }

// Main runs one command line, without the program's name, and returns the exit code: 0 done, 1 problems found or the work
// failed, 2 wrong usage. Errors go to stderr.
func Main(args []string, stdin io.Reader, stdout, stderr io.Writer, getenv func(string) string) int {
	w := &world{stdin: stdin, stdout: stdout, stderr: stderr, getenv: getenv}
	// Help asked for goes to stdout and is done; help because nothing was asked goes to stderr and is wrong usage.
	helped := false
	parser, err := kong.New(&commands{},
		kong.Name("parley"),
		kong.Description(description),
		kong.Writers(stdout, stderr),
		kong.Exit(func(int) { helped = true }),
		kong.Resolvers(environment(getenv)),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, NoExpandSubcommands: true, WrapUpperBound: 110}),
		kong.ValueFormatter(withTwin),
		kong.BindTo(context.Background(), (*context.Context)(nil)),
		kong.Bind(w),
	)
	if err != nil {
		panic(err) // a tag of ours that kong cannot read
	}
	if len(args) == 0 {
		parser.Stdout = stderr
		_, _ = parser.Parse([]string{"--help"})
		return exitUsage
	}
	run, err := parser.Parse(normalise(args))
	if helped {
		return exitDone
	}
	if err != nil {
		fmt.Fprintf(stderr, "parley: %v; see parley%s -help\n", err, commandNamed(parser.Model, args))
		return exitUsage
	}
	err = run.Run()
	switch usage, ok := errors.AsType[usageError](err); {
	case err == nil:
		return exitDone
	case ok:
		fmt.Fprintf(stderr, "parley: %v; see parley %s -help\n", usage, strings.Fields(run.Command())[0])
		return exitUsage
	case !errors.Is(err, errReported):
		fmt.Fprintf(stderr, "parley: %v\n", err)
	}
	return exitFailed
}

// untilStopped returns a context that ends when the process is asked to stop. A second request ends the process at once.
func untilStopped(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGTERM, syscall.SIGINT)
	context.AfterFunc(ctx, stop)
	return ctx, stop
}

// normalise gives long flags written with one dash their second, and lets "help check" ask what "check -help" asks. No
// command has flags of one letter but -h, so that nothing can be meant but a long one.
func normalise(args []string) []string {
	if args[0] == "help" {
		args = append(append([]string{}, args[1:]...), "--help")
	}
	out := make([]string, 0, len(args))
	for i, arg := range args {
		if arg == "--" {
			return append(out, args[i:]...)
		}
		if longFlag.MatchString(arg) {
			arg = "-" + arg
		}
		out = append(out, arg)
	}
	return out
}

// longFlag is a flag of more than one letter written with one dash.
var longFlag = regexp.MustCompile(`^-[a-z][a-z]`)

// commandNamed is " check" when the arguments begin with that command, so that the hint leads to the right help.
func commandNamed(app *kong.Application, args []string) string {
	for _, command := range app.Children {
		if command.Name == args[0] {
			return " " + args[0]
		}
	}
	return ""
}

// environment answers for flags that were not given, from their twins. An empty variable counts as not set.
func environment(getenv func(string) string) kong.Resolver {
	return kong.ResolverFunc(func(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
		if value := getenv(twin(flag.Name)); value != "" && flag.Name != "help" {
			return value, nil
		}
		return nil, nil
	})
}

// twin is the environment variable of a flag.
func twin(flag string) string {
	return "PARLEY_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// withTwin adds the environment twin to a flag's help.
func withTwin(value *kong.Value) string {
	if value.Flag == nil || value.Flag.Name == "help" {
		return value.Help
	}
	return fmt.Sprintf("%s ($%s)", value.Help, twin(value.Flag.Name))
}
