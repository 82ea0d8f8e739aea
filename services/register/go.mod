module spillway.example/services/register

go 1.26.0

replace spillway.example/frontdoor => ../../frontdoor

require (
	spillway.example/frontdoor v0.0.0
	spillway.example/services/internal v0.0.0
)

replace spillway.example/services/internal => ../internal
