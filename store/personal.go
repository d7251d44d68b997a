package store

// personal lists the tables in which names, addresses or texts of people stand, and in which columns: what an erasure has to
// reach. A test fails for a table that is neither here nor in impersonal, so that a new one is thought about.
var personal = map[string][]string{
	"contacts":       {"name", "language", "time_zone", "external_ids"},
	"addresses":      {"network_id"},
	"consents":       {"wording", "evidence"},
	"conversations":  {"chat", "session", "reason"},
	"inbound":        {"chat", "network_id"},
	"parked":         {"event"},
	"messages":       {"text", "context", "network_id"},
	"parts":          {"text", "network_id"},
	"early_receipts": {"network_id"},
	"timers":         {"context"},
	"awaited":        {"context"},
	"watches":        {"fields"},
	"payments":       {"note"},
	"desk_people":    {"name"},
	"staff":          {"email"},
	"idempotency":    {"body"},
}

// impersonal lists the tables that hold ids, figures and the shop's own words only.
var impersonal = []string{
	"merchants", "accounts", "account_state", "secrets", "flow_sets", "events", "visitors", "sign_ins", "staff_sessions", "api_keys",
	"products", "stock_movements", "prices", "occurrences", "deliveries", "held", "tallies", "lanes", "quotes", "orders", "order_items", "payment_tasks", "offers",
	"desks", "notices", "repeats", "leases",
}
