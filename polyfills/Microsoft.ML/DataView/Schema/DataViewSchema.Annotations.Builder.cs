using Microsoft.ML.Data;

namespace Microsoft.ML;

public sealed partial class DataViewSchema
{
    public sealed partial class Annotations
    {
        /// <summary>Collects annotations.</summary>
        public sealed class Builder
        {
            private readonly DataViewSchema.Builder _schema = new();
            private readonly List<Delegate> _getters = [];

            public void Add(Annotations annotations, Func<string, bool> selector)
            {
                if (annotations == null)
                    return;
                ArgumentNullException.ThrowIfNull(selector);
                foreach (Column column in annotations.Schema)
                {
                    if (selector(column.Name))
                        AddCore(column.Name, column.Type, annotations.GetGetterInternal(column.Index), column.Annotations);
                }
            }

            public void Add<TValue>(string name, DataViewType type, ValueGetter<TValue> getter, Annotations annotations = null)
            {
                CheckNameAndType(name, type);
                ArgumentNullException.ThrowIfNull(getter);
                CheckRawType(type, typeof(TValue));
                AddCore(name, type, getter, annotations);
            }

            public void Add(string name, DataViewType type, Delegate getter, Annotations annotations = null)
            {
                CheckNameAndType(name, type);
                ArgumentNullException.ThrowIfNull(getter);
                Type wanted = typeof(ValueGetter<>).MakeGenericType(type.RawType);
                if (getter.GetType() != wanted)
                    throw new ArgumentException($"The getter must be of type '{wanted.FullName}'", nameof(getter));
                AddCore(name, type, getter, annotations);
            }

            public void AddPrimitiveValue<TValue>(string name, PrimitiveDataViewType type, TValue value, Annotations annotations = null)
            {
                CheckNameAndType(name, type);
                CheckRawType(type, typeof(TValue));
                AddCore(name, type, (ValueGetter<TValue>)((ref TValue dst) => dst = value), annotations);
            }

            public Annotations ToAnnotations() => new(_schema.ToSchema(), [.. _getters]);

            private void AddCore(string name, DataViewType type, Delegate getter, Annotations annotations)
            {
                _schema.AddColumn(name, type, annotations);
                _getters.Add(getter);
            }

            private static void CheckNameAndType(string name, DataViewType type)
            {
                if (string.IsNullOrEmpty(name))
                    throw new ArgumentNullException(nameof(name));
                ArgumentNullException.ThrowIfNull(type);
            }

            private static void CheckRawType(DataViewType type, Type wanted)
            {
                if (type.RawType != wanted)
                    throw new ArgumentException($"The raw type of the annotation must be '{wanted.FullName}'.", nameof(type));
            }
        }
    }
}
