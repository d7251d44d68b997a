package commerce_test

import (
	"fmt"

	"parley/commerce"
)

// An event checks what its form was given and brings it into the form in which it is kept.
func ExampleEventSpec_Check() {
	event, _ := commerce.FindEvent(commerce.PriceBelow)
	fields, err := event.Check(map[string]string{"threshold": "17.50"}, "EUR")
	fmt.Println(fields["threshold"], err)
	_, err = event.Check(map[string]string{"threshold": "17.50 USD"}, "EUR")
	fmt.Println(err)
	// Output:
	// 17.50 EUR <nil>
	// threshold: the amount must be in EUR, the currency of this product, not in USD
}
