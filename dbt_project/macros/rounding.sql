{# GB/T 8170: to the nearest, a tie to the even digit. Exact, as long as the expression is numeric and not float.
   `expression` and `decimals` are columns or literals: they are written several times. #}
{% macro round_half_even(expression, decimals) -%}
    round(
        case
            when abs({{ expression }}) * power(10::numeric, {{ decimals }})
                - trunc(abs({{ expression }}) * power(10::numeric, {{ decimals }})) = 0.5
                then 2 * round({{ expression }} * power(10::numeric, {{ decimals }}) * 0.5)
                    * power(10::numeric, -({{ decimals }}))
            else {{ expression }}
        end,
        {{ decimals }}
    )
{%- endmacro %}
