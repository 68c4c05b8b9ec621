"""The specification of trioweb, in tests that mirror its folders."""
