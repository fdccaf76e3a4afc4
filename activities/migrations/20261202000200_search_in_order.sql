-- migrate:up

-- Customers are listed by their names in the one way of writing, so that a list goes on where it ended whatever it was asked, and what
-- begins like that stands together.
create index search_entry_in_order on search_entry ((says collate "C"), account_id) where kind = 'account';

-- Names of customers are few among all texts, and asked for first.
create index search_entry_pieces_of_account on search_entry using gin (pieces)
    with (fastupdate = on, gin_pending_list_limit = 1024) where kind = 'account';

-- An id that is given whole, however many others begin like it.
create index search_entry_ref on search_entry ((search_text(ref)));

-- migrate:down

drop index search_entry_ref, search_entry_pieces_of_account, search_entry_in_order;
