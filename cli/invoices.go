package cli

import (
	"fmt"

	"parley/config"
)

// invoiceProblems finds accounts whose network would collect money otherwise than their shop is meant to.
func invoiceProblems(merchants ...config.Merchant) config.Problems {
	var found config.Problems
	for _, m := range merchants {
		for _, a := range m.Accounts {
			spec, _ := specNamed(a.Adapter)
			if spec.Invoicing == nil {
				continue
			}
			in := spec.Invoicing(a.Settings)
			if in.Setting == "" {
				continue
			}
			at := a.Settings.Pos(in.Setting)
			switch {
			case !in.Takes(m.Currency):
				found = append(found, at.Error(
					fmt.Sprintf("%s does not collect in %s, the currency of this merchant", spec.Title, m.Currency),
					"remove "+in.Setting+": orders are then paid by the merchant's payments"))
			case in.Test && m.Mode == config.Live:
				found = append(found, at.Error(
					fmt.Sprintf("the merchant is live, but %s is of a provider's test mode and takes no money", in.Setting),
					"write the live token, or mode: test for the merchant"))
			case !in.Test && m.Mode != config.Live:
				found = append(found, at.Error(
					fmt.Sprintf("the merchant is in mode test, but %s takes real money", in.Setting),
					"write the token of the provider's test mode, or mode: live for the merchant"))
			}
		}
	}
	return found
}
