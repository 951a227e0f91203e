"""How the schema came about, one file for each change; run by `vernissage.storage.database.open_database`."""
