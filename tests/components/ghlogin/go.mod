module credlatch.invalid/ghlogin

go 1.26.0

require (
	github.com/cli/go-gh/v2 v2.16.0
	github.com/zalando/go-keyring v0.2.8
)

require (
	github.com/cli/safeexec v1.0.1 // indirect
	github.com/danieljoos/wincred v1.2.3 // indirect
	github.com/godbus/dbus/v5 v5.2.2 // indirect
	github.com/kr/pretty v0.3.1 // indirect
	golang.org/x/sys v0.49.0 // indirect
	gopkg.in/yaml.v3 v3.0.1 // indirect
)
