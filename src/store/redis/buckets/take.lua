-- ARGV: epoch, bucket, units that it has ever given. Adds those that have not arrived before.
take(ARGV[1], ARGV[2], ARGV[3])
return 1
