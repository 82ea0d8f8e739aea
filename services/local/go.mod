module spillway.example/services/local

go 1.26.0

replace spillway.example/frontdoor => ../../frontdoor

require (
	spillway.example/frontdoor v0.0.0
	spillway.example/services/internal v0.0.0
	spillway.example/services/login v0.0.0
	spillway.example/services/register v0.0.0
)

replace spillway.example/services/internal => ../internal

replace spillway.example/services/register => ../register

replace spillway.example/services/login => ../login
