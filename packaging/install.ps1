# Installs credlatch @VERSION@ below %USERPROFILE%\.local:
#
#   powershell -ExecutionPolicy Bypass -File install.ps1 [-Prefix FOLDER] [-Mirror URL]
#
# -Prefix is the folder with lib in it, and -Mirror another place that has the release's files.
#
# What it gets is run only if its SHA-256 is the one below: whoever trusts this script need trust neither the network, nor
# a mirror or proxy. All is in functions, called in the last line: half a script does nothing.
param([string]$Prefix = '', [string]$Mirror = '@URL@')

function Install-Credlatch {
    param([string]$Prefix, [string]$Mirror)
    Set-StrictMode -Version 2.0
    $ErrorActionPreference = 'Stop'
    $ProgressPreference = 'SilentlyContinue' # which takes longer than the download

    $released = @{
        @FILES@
    }
    # Of Windows, whatever this PowerShell was compiled for.
    $machine = [string][System.Runtime.InteropServices.RuntimeInformation]::OSArchitecture
    $known = $released[$machine]
    if ($null -eq $known) {
        throw "credlatch @VERSION@ is not released for Windows on $machine"
    }
    $url = $Mirror.TrimEnd('/') + '/' + $known.File
    # In the user's own folder: others may be able to put something else into a temporary one.
    $work = Join-Path $env:LOCALAPPDATA ('credlatch-' + [System.Guid]::NewGuid().ToString())
    New-Item -ItemType Directory -Path $work | Out-Null
    try {
        $program = Join-Path $work 'credlatch.exe'
        Write-Output "downloading $url"
        $tls12 = [Net.SecurityProtocolType]::Tls12
        [Net.ServicePointManager]::SecurityProtocol = [Net.ServicePointManager]::SecurityProtocol -bor $tls12
        Invoke-WebRequest -UseBasicParsing -TimeoutSec 3600 -Uri $url -OutFile $program
        $found = (Get-FileHash -LiteralPath $program -Algorithm SHA256).Hash.ToLowerInvariant()
        if ($found -cne $known.Sha256) {
            throw "$url has the SHA-256 $found, and should have $($known.Sha256): nothing was run"
        }
        $words = @('install')
        if ($Prefix -ne '') { $words += @('--prefix', $Prefix) }
        & $program $words
        if ($LASTEXITCODE -ne 0) { throw "credlatch install failed with exit status $LASTEXITCODE" }
    }
    finally {
        Remove-Item -LiteralPath $work -Recurse -Force -ErrorAction SilentlyContinue
    }
}

Install-Credlatch -Prefix $Prefix -Mirror $Mirror
