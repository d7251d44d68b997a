package config

// sampleKinds are settings such as the messengers and payment providers of the example have.
func sampleKinds() Kinds {
	return Kinds{
		Adapters: map[string][]Field{
			"console": nil,
			"webchat": nil,
			"telegram": {
				{Name: "token", Type: Secret, Required: true, Sample: "123:abc", Doc: "The bot's token."},
				{Name: "mode", Type: Enum, Enum: []string{"poll", "webhook"}, Default: "poll", Sample: "webhook", Doc: "How messages come in."},
				{Name: "webhook_url", Type: URL, RequiredWith: "mode=webhook", Sample: "https://a.example/hooks/tg", Doc: "Our address."},
				{Name: "webhook_secret", Type: Secret, Sample: "a-word", Doc: "What Telegram shows."},
				{Name: "payments_token", Type: Secret, Sample: "1:TEST:a", Doc: "What @BotFather gives under Payments."},
				{Name: "poll_timeout", Type: Duration, Default: "50s", Min: "1s", Max: "50s", Sample: "25s", Doc: "How long a question lasts."},
				{Name: "api_base", Type: URL, Default: "https://api.telegram.org", Sample: "http://127.0.0.1:8081", Doc: "Where the API is."},
			},
			"caller": {
				{Name: "mode", Type: Enum, Enum: []string{"poll", "webhook"}, Default: "poll", Doc: "How messages come in."},
				{Name: "fee", Type: Amount, Sample: "0.10 EUR", Doc: "What a message costs."},
			},
		},
		Payments: map[string][]Field{
			"test":   nil,
			"manual": {{Name: "instructions", Type: Texts, Enum: []string{"en", "de"}, Sample: "{en: Pay}", Doc: "How to pay."}},
		},
	}
}

func env(values ...string) func(string) string {
	return func(name string) string {
		for i := 0; i+1 < len(values); i += 2 {
			if values[i] == name {
				return values[i+1]
			}
		}
		return ""
	}
}

// minimal is the shortest file without problems.
const minimal = `merchants:
  - name: shop
    title: Shop
    currency: EUR
    accounts: [{name: chat, adapter: webchat}]
    payments: [{name: invoice, provider: manual}]
`
