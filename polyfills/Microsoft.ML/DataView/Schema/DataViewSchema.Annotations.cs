namespace Microsoft.ML;

public sealed partial class DataViewSchema
{
    /// <summary>Named values that go with a column: slot names, key values, and the like.</summary>
    public sealed partial class Annotations
    {
        private readonly Delegate[] _getters;

        internal Annotations(DataViewSchema schema, Delegate[] getters)
        {
            foreach (Column column in schema)
            {
                if (getters[column.Index]?.GetType() != typeof(ValueGetter<>).MakeGenericType(column.Type.RawType))
                    throw new ArgumentNullException("getter", $"The annotation '{column.Name}' wants a getter of {column.Type.RawType}.");
            }

            Schema = schema;
            _getters = getters;
        }

        public static Annotations Empty { get; } = new(new DataViewSchema([]), []);

        public DataViewSchema Schema { get; }

        public ValueGetter<TValue> GetGetter<TValue>(Column column)
        {
            if (column.Index >= _getters.Length)
                throw new ArgumentException(null, nameof(column));
            return _getters[column.Index] as ValueGetter<TValue>
                ?? throw new InvalidOperationException("Invalid call to 'GetGetter'");
        }

        public void GetValue<TValue>(string kind, ref TValue value)
        {
            Column column = Schema.GetColumnOrNull(kind) ?? throw new InvalidOperationException("Invalid call to 'GetValue'");
            GetGetter<TValue>(column)(ref value);
        }

        public override string ToString() => string.Join(", ", Schema.Select(c => c.Name));

        internal Delegate GetGetterInternal(int index) => _getters[index];
    }
}
