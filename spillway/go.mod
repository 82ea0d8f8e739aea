module spillway.example/spillway

go 1.26.0

replace spillway.example/frontdoor => ../frontdoor

require (
	spillway.example/frontdoor v0.0.0
	spillway.example/services/internal v0.0.0
	spillway.example/services/local v0.0.0
	spillway.example/services/login v0.0.0
	spillway.example/services/register v0.0.0
)

replace spillway.example/services/internal => ../services/internal

replace spillway.example/services/register => ../services/register

replace spillway.example/services/login => ../services/login

replace spillway.example/services/local => ../services/local
