-- migrate:up

-- What a search asks the index for: pieces of two letters alone, if there are any, as those of one stand in nearly every text.

create function search_probe(said text) returns text[] language sql immutable strict parallel safe as $$
    select array(select piece from unnest(search_pieces(said)) piece
                 where length(piece) = 2 or length(said) = 1 order by piece)
$$;

-- New pieces wait in a short list that searches read as well, and go into the index many at a time: writing a customer costs a fifth.

alter index search_entry_pieces set (fastupdate = on, gin_pending_list_limit = 1024);

-- migrate:down

alter index search_entry_pieces set (fastupdate = off);
alter index search_entry_pieces reset (gin_pending_list_limit);
drop function search_probe;
