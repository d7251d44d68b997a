package cloud

import (
	"time"

	"parley/adapters"
)

// pace is Meta's: 80 messages a second of a number, and one in six seconds to one person, of which 45 may be borrowed from the
// future.
var pace = adapters.Pace{
	Account: adapters.Rate{Count: 80, Per: time.Second, Burst: 20},
	Chat:    adapters.Rate{Count: 1, Per: 6 * time.Second, Burst: 45},
}
