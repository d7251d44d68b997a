package store

import (
	"context"
	"database/sql/driver"
	"errors"
	"regexp"

	"modernc.org/sqlite"
)

// SQLite parses a statement each time it is run unless somebody keeps it prepared, which costs more than most statements do. Each
// of our connections keeps what it was asked before, as pgx does for Postgres: whoever writes a query need not think of it.

// mostPrepared is how many statements a connection keeps. We have fewer; queries with figures in their text may bring more.
const mostPrepared = 400

// remembering makes connections that keep their statements prepared.
type remembering struct {
	driver.Connector
	uncut bool // of the writer, whose statements are not cut off in the middle by the end of a context: it is looked at before each
}

func rememberStatements(dsn string, uncut bool) (driver.Connector, error) {
	plain, err := sqlite.NewConnector(dsn)
	return &remembering{plain, uncut}, err
}

func (r *remembering) Connect(ctx context.Context) (driver.Conn, error) {
	plain, err := r.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	c, ok := plain.(sqliteConn)
	if !ok {
		return nil, errors.Join(errors.New("the driver of SQLite lacks a method that is needed"), plain.Close())
	}
	return &rememberingConn{sqliteConn: c, prepared: map[string]*preparedStmt{}, uncut: r.uncut}, nil
}

// sqliteConn is what the driver's connections can.
type sqliteConn interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.SessionResetter
	driver.Validator
	driver.Pinger
}

// rememberingConn is used by one goroutine at a time, as all connections of drivers are.
type rememberingConn struct {
	sqliteConn
	prepared map[string]*preparedStmt
	uncut    bool
	args     []driver.NamedValue // of the last manyArgs
}

// manyArgs are the parameters of a statement for many rows. They go through database/sql as one, which would make a list of its own
// for each statement.
type manyArgs []any

// eachRow has a statement run for each row of values, one after the other. Its result is that of the last.
type eachRow struct {
	width  int
	values []any
}

// CheckNamedValue takes parameters as they are that the driver takes as they are.
func (c *rememberingConn) CheckNamedValue(v *driver.NamedValue) error {
	switch v.Value.(type) {
	case int64, string, manyArgs, eachRow:
		return nil
	}
	return driver.ErrSkip
}

// spread is what a statement is run with: as it came, or what manyArgs have.
func (c *rememberingConn) spread(args []driver.NamedValue) []driver.NamedValue {
	if len(args) == 1 {
		if many, ok := args[0].Value.(manyArgs); ok {
			return c.named(many)
		}
	}
	return args
}

func (c *rememberingConn) named(values []any) []driver.NamedValue {
	for len(c.args) < len(values) {
		c.args = append(c.args, driver.NamedValue{Ordinal: len(c.args) + 1})
	}
	for i, value := range values {
		c.args[i].Value = value
	}
	return c.args[:len(values)]
}

// exec runs a statement, for each row when args are rows.
func (c *rememberingConn) exec(ctx context.Context, stmt sqliteStmt, args []driver.NamedValue) (result driver.Result, err error) {
	if len(args) == 1 {
		if rows, ok := args[0].Value.(eachRow); ok {
			for values := rows.values; len(values) > 0 && err == nil; values = values[rows.width:] {
				result, err = stmt.ExecContext(ctx, c.named(values[:rows.width]))
			}
			return result, err
		}
	}
	return stmt.ExecContext(ctx, c.spread(args))
}

type sqliteStmt interface {
	driver.Stmt
	driver.StmtExecContext
	driver.StmtQueryContext
}

type preparedStmt struct {
	sqliteStmt
	busy bool // somebody reads its rows
}

var errNoContext = errors.New("the driver of SQLite lacks statements with a context")

// bareLimit is a parameter behind LIMIT, whose value SQLite would have as a part of the statement: it would prepare that anew for
// each other one. It does not look into a CAST.
var bareLimit = regexp.MustCompile(`\bLIMIT (\$[0-9]+)`)

func (c *rememberingConn) prepare(ctx context.Context, query string) (sqliteStmt, error) {
	plain, err := c.PrepareContext(ctx, bareLimit.ReplaceAllString(query, "LIMIT CAST($1 AS INTEGER)"))
	if err != nil {
		return nil, err
	}
	stmt, ok := plain.(sqliteStmt)
	if !ok {
		return nil, errors.Join(errNoContext, plain.Close())
	}
	return stmt, nil
}

// take finds or prepares a statement; done gives it back. One whose rows are still being read is not run again meanwhile.
func (c *rememberingConn) take(ctx context.Context, query string) (stmt sqliteStmt, done func() error, err error) {
	known := c.prepared[query]
	if known != nil && known.busy {
		stmt, err := c.prepare(ctx, query)
		if err != nil {
			return nil, nil, err
		}
		return stmt, stmt.Close, nil
	}
	if known == nil {
		if len(c.prepared) >= mostPrepared {
			c.forget()
		}
		stmt, err := c.prepare(ctx, query)
		if err != nil {
			return nil, nil, err
		}
		known = &preparedStmt{sqliteStmt: stmt}
		c.prepared[query] = known
	}
	known.busy = true
	return known, func() error { known.busy = false; return nil }, nil
}

// forget closes the statements that nobody uses now.
func (c *rememberingConn) forget() {
	for query, stmt := range c.prepared {
		if !stmt.busy {
			_ = stmt.Close()
			delete(c.prepared, query)
		}
	}
}

// cut is the context that a statement runs in. The driver starts a goroutine for each statement whose context can end.
func (c *rememberingConn) cut(ctx context.Context) (context.Context, error) {
	if err := ctx.Err(); err != nil || !c.uncut {
		return ctx, err
	}
	return context.WithoutCancel(ctx), nil
}

func (c *rememberingConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	ctx, err := c.cut(ctx)
	if err != nil {
		return nil, err
	}
	stmt, done, err := c.take(ctx, query)
	if err != nil {
		return nil, err
	}
	result, err := c.exec(ctx, stmt, args)
	return result, errors.Join(err, done())
}

func (c *rememberingConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	ctx, err := c.cut(ctx)
	if err != nil {
		return nil, err
	}
	stmt, done, err := c.take(ctx, query)
	if err != nil {
		return nil, err
	}
	rows, err := stmt.QueryContext(ctx, c.spread(args))
	if err != nil {
		return nil, errors.Join(err, done())
	}
	return &preparedRows{rows, done}, nil
}

func (c *rememberingConn) BeginTx(ctx context.Context, o driver.TxOptions) (driver.Tx, error) {
	ctx, err := c.cut(ctx)
	if err != nil {
		return nil, err
	}
	if !c.uncut {
		return c.sqliteConn.BeginTx(ctx, o)
	}
	return writing{c}, writing{c}.run("BEGIN IMMEDIATE")
}

// writing is a transaction of the writer. The driver would parse the texts that begin and end it each time.
type writing struct{ c *rememberingConn }

func (w writing) run(text string) error {
	_, err := w.c.ExecContext(context.Background(), text, nil)
	return err
}

// Commit leaves the connection without a transaction, as database/sql expects, when it fails as well.
func (w writing) Commit() error {
	err := w.run("COMMIT")
	if err != nil {
		_ = w.Rollback() // which fails when SQLite has gone back by itself
	}
	return err
}

func (w writing) Rollback() error { return w.run("ROLLBACK") }

func (c *rememberingConn) Close() error {
	for _, stmt := range c.prepared {
		_ = stmt.Close()
	}
	return c.sqliteConn.Close()
}

// preparedRows give their statement back when they are closed.
type preparedRows struct {
	driver.Rows
	done func() error
}

func (r *preparedRows) Close() error {
	err := r.Rows.Close()
	if r.done != nil {
		err = errors.Join(err, r.done())
		r.done = nil
	}
	return err
}
