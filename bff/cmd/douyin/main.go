// Command douyin is the whole product in one binary. Without a subcommand it runs everything in one process; with one, a
// single part that the others reach over the network.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/KimMachineGun/automemlimit/memlimit"
	"github.com/alecthomas/kong"
)

// commandLine is the command line of douyin.
type commandLine struct {
	All         allCmd         `cmd:"" default:"withargs" help:"Run everything in one process (the default)."`
	Basics      basicsCmd      `cmd:"" help:"Run the service of users, videos and the feed."`
	Interaction interactionCmd `cmd:"" help:"Run the service of likes and comments."`
	Social      socialCmd      `cmd:"" help:"Run the service of follows and messages."`
	BFF         bffCmd         `cmd:"" name:"bff" help:"Run the HTTP server in front of the three services."`
	Reconcile   reconcileCmd   `cmd:"" help:"Compare the counts that are kept with the rows they count."`
	Health      healthCmd      `cmd:"" help:"Ask a running part whether it is ready."`

	LogLevel  logLevel `default:"info" help:"Least level that is logged: debug, info, warn or error."`
	LogFormat string   `default:"text" enum:"text,json" help:"Form of the log lines: text or json."`
}

func main() {
	// Without GOMEMLIMIT, the memory limit is 80 % of that of the cgroup, if it has one.
	_, _ = memlimit.SetGoMemLimitWithOpts(memlimit.WithRatio(0.8))
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run runs the command line until it is done or ctx ends. It returns the exit status: 0 after a graceful stop, 1 after an
// error, 2 if the command line or the environment has a wrong value.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	var cli commandLine
	exit := -1
	parser, err := kong.New(&cli,
		kong.Name("douyin"),
		kong.Description("A minimal Douyin: the REST routes of the original app and a GraphQL graph over three services.\n\n"+
			"Each flag can also be set by an environment variable, as --max-upload by DOUYIN_MAX_UPLOAD."),
		kong.DefaultEnvars("DOUYIN"),
		kong.Help(help),
		kong.Writers(stdout, stderr),
		kong.Exit(func(status int) { exit = status }),
	)
	if err != nil {
		fmt.Fprintln(stderr, "douyin:", err)
		return 1
	}
	command, err := parser.Parse(args)
	if exit >= 0 { // --help has been answered
		return exit
	}
	if err != nil {
		fmt.Fprintln(stderr, "douyin:", strings.TrimPrefix(oneLine(err), "all: "))
		return 2
	}
	log := newLogger(stderr, slog.Level(cli.LogLevel), cli.LogFormat)
	command.BindTo(ctx, (*context.Context)(nil))
	command.BindTo(stdout, (*io.Writer)(nil))
	if err := command.Run(log); err != nil && !errors.Is(err, context.Canceled) {
		fmt.Fprintln(stderr, "douyin:", oneLine(err))
		return 1
	}
	return 0
}

// help prints the help of a command. Without a command it prints the help of the product and of the default command.
func help(options kong.HelpOptions, command *kong.Context) error {
	if err := kong.DefaultHelpPrinter(options, command); err != nil || command.Selected() != nil {
		return err
	}
	all, err := kong.Trace(command.Kong, []string{"all"})
	if err != nil {
		return err
	}
	fmt.Fprintln(command.Stdout)
	return kong.DefaultHelpPrinter(options, all)
}

// logLevel is a level of the log.
type logLevel slog.Level

// UnmarshalText reads a level.
func (l *logLevel) UnmarshalText(text []byte) error {
	if (*slog.Level)(l).UnmarshalText(text) != nil {
		return fmt.Errorf("%q is not debug, info, warn or error", text)
	}
	return nil
}

func oneLine(err error) string {
	return strings.Join(strings.Fields(err.Error()), " ")
}
