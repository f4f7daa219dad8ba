{# The grain of a small table; marts have primary keys, which say it faster. #}
{% test unique_key(model, columns) %}
select {{ columns | map('tojson') | join(', ') }}
from {{ model }}
group by {{ columns | map('tojson') | join(', ') }}
having count(*) > 1
{% endtest %}
