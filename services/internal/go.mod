module spillway.example/services/internal

go 1.26.0

replace spillway.example/frontdoor => ../../frontdoor

require spillway.example/frontdoor v0.0.0

require (
	golang.org/x/net v0.62.0 // indirect
	golang.org/x/text v0.43.0 // indirect
	pgregory.net/rapid v1.3.0 // indirect
)
