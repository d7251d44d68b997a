package config_test

import (
	"fmt"

	"parley/config"
)

func ExampleParse() {
	telegram := []config.Field{{Name: "token", Type: config.Secret, Required: true, Doc: "What @BotFather gives you."}}
	kinds := config.Kinds{
		Adapters: map[string][]config.Field{"telegram": telegram},
		Payments: map[string][]config.Field{"manual": nil},
	}
	file := `
merchants:
  - name: shop
    title: The Little Shop
    currency: EUR
    time_zone: Europe/Berln
    accounts: [{name: tg, adapter: telegram, tokn: "${TOKEN}"}]
    payments: [{name: invoice, provider: manual}]
`
	_, problems := config.Parse("parley.yaml", []byte(file), config.Outside{}, kinds)
	for _, p := range problems {
		fmt.Println(p)
	}
	// Output:
	// parley.yaml:6:16: error: time_zone "Europe/Berln" is not a time zone; did you mean "Europe/Berlin"?
	// parley.yaml:7:16: error: setting "token" is missing for telegram; add token: ${TELEGRAM_TOKEN}, or token_file with the path of a file that holds it
	// parley.yaml:7:46: error: unknown setting "tokn" for telegram; did you mean "token"?
}

func ExampleSettings() {
	fields := []config.Field{
		{Name: "token", Type: config.Secret, Required: true},
		{Name: "poll_timeout", Type: config.Duration, Default: "50s"},
	}
	settings, err := config.NewSettings(fields, map[string]string{"token": "123:abc"})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(settings.Secret("token"), settings.Duration("poll_timeout"))
	// Output: *** 50s
}
