module turnout.local/sandbox/small

go 1.26.0
