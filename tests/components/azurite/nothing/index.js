// In place of telemetry and of drivers for databases, which blobs in memory do without.
