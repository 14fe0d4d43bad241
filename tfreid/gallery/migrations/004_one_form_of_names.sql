-- Names that look alike are one name: the composed form of Unicode (NFC).

DO $$ BEGIN
  IF getdatabaseencoding() <> 'UTF8' THEN RETURN; END IF;

  -- Images of a person whose name was there in both forms are all of the one that stays.
  UPDATE image SET person = one
    FROM (
      SELECT id, first_value(id) OVER (
        PARTITION BY normalize(name) ORDER BY name IS NFC NORMALIZED DESC, id
      ) AS one FROM person
    ) alike
    WHERE alike.id = image.person AND one <> alike.id;
  DELETE FROM person WHERE NOT EXISTS (SELECT FROM image WHERE image.person = person.id);
  UPDATE person SET name = normalize(name) WHERE name IS NOT NFC NORMALIZED;

  UPDATE image SET camera = normalize(camera) WHERE camera IS NOT NFC NORMALIZED;

  -- Of images with one name, those that come later get their numbers behind it, or what no other has.
  UPDATE image SET name = named.name || CASE
      WHEN place = 1 THEN ''
      WHEN EXISTS (
        SELECT FROM image other WHERE normalize(other.name) = named.name || ' ' || named.id
      ) THEN ' ' || gen_random_uuid()
      ELSE ' ' || named.id
    END
    FROM (
      SELECT id, normalize(name) AS name, row_number() OVER (
        PARTITION BY normalize(name) ORDER BY name IS NFC NORMALIZED DESC, id
      ) AS place FROM image
    ) named
    WHERE named.id = image.id AND image.name IS NOT NFC NORMALIZED;
END $$;
