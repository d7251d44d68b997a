package raw

import (
	"database/sql"
	"path/filepath"
	"testing"
)

const schema = `
	CREATE TABLE conversations (key INTEGER PRIMARY KEY, session TEXT NOT NULL, changed_ms BIGINT NOT NULL);
	CREATE TABLE messages (key INTEGER PRIMARY KEY, conversation_key BIGINT NOT NULL, text TEXT NOT NULL);
	CREATE TABLE repeats (hash INTEGER PRIMARY KEY, log BIGINT NOT NULL);
	CREATE TABLE products (key INTEGER PRIMARY KEY, title TEXT NOT NULL);`

func fill(t *testing.T, file, statements string) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+file)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if _, err := db.Exec(statements); err != nil {
		t.Fatal(err)
	}
}

func TestReplayLeavesTheRowsThatWereRecorded(t *testing.T) {
	dir := t.TempDir()
	empty, full := filepath.Join(dir, "empty.db"), filepath.Join(dir, "full.db")
	fill(t, empty, schema)
	fill(t, full, schema+`
	INSERT INTO conversations VALUES (1, 'a', 0), (2, 'b', 0), (3, 'c', 0);
	INSERT INTO products VALUES (1, 'Lamp');
	WITH RECURSIVE n (v) AS (SELECT 1 UNION ALL SELECT v + 1 FROM n WHERE v < 100) INSERT INTO repeats SELECT v * 7919 % 10007, v FROM n;
	WITH RECURSIVE n (v) AS (SELECT 1 UNION ALL SELECT v + 1 FROM n WHERE v < 200) INSERT INTO messages SELECT v, v % 3 + 1, 'text ' || v FROM n;`)
	rec, err := Record(t.Context(), full, empty, t.TempDir(), 100)
	if err != nil {
		t.Fatal(err)
	}
	if rec.Rows() != 3 || rec.Tables() != "messages, repeats" {
		t.Errorf("a turn writes %v rows in %s, want 3 in messages, repeats", rec.Rows(), rec.Tables())
	}
	begun := 0
	done, err := rec.Replay(t.Context(), 16, func() { begun++ })
	if err != nil {
		t.Fatal(err)
	}
	if done.Turns != 100 || len(done.Commits) != 7 || begun != 1 {
		t.Errorf("%d turns in %d commits, begun %d times", done.Turns, len(done.Commits), begun)
	}
	db, err := sql.Open("sqlite", "file:"+filepath.Join(filepath.Dir(rec.template), "template-copy.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	for query, want := range map[string]int{
		"SELECT count(*) FROM messages":                           200,
		"SELECT count(DISTINCT text) FROM messages":               200,
		"SELECT count(*) FROM repeats":                            100,
		"SELECT count(*) FROM products":                           1,
		"SELECT count(*) FROM conversations":                      3,
		"SELECT count(*) FROM conversations WHERE changed_ms > 0": 3,
	} {
		var got int
		if err := db.QueryRow(query).Scan(&got); err != nil || got != want {
			t.Errorf("%s: %d (%v), want %d", query, got, err, want)
		}
	}
}

func TestBareFanoutQueuesEachWatcherOnceAndDrainsThem(t *testing.T) {
	f, err := OpenFanout(t.Context(), "sqlite://"+filepath.Join(t.TempDir(), "bare.db"), 2_500)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	took, err := f.Queue(t.Context(), 1_000)
	if err != nil || len(took) != 3 {
		t.Fatalf("%d chunks (%v), want 3", len(took), err)
	}
	var n int
	if err := f.db.QueryRow("SELECT count(*) FROM told").Scan(&n); err != nil || n != 2_500 {
		t.Errorf("%d rows (%v), want 2500", n, err)
	}
	if bytes, err := f.RowBytes(t.Context()); err != nil || bytes < 3 || bytes > 40 {
		t.Errorf("%v bytes a row (%v)", bytes, err)
	}
	if drained, err := f.Drain(t.Context(), 1<<40); err != nil || drained != 2_500 {
		t.Errorf("%d drained (%v), want 2500", drained, err)
	}
}
