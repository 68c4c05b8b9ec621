"""TLS: certificates, handshakes and the transports that carry HTTP inside."""
