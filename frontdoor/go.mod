module spillway.example/frontdoor

go 1.26.0
