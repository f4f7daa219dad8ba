{{ governance_feed_day(ref('as_of__governance__completeness_day'), scoped=false) }}
