//! Reading the truth from sources of every kind, well-behaved and hostile.
