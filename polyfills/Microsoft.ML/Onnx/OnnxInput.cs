using Microsoft.ML.Data;
using Microsoft.ML.Internal.Utilities;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Microsoft.ML.Transforms.Onnx;

/// <summary>Makes a tensor of a column's value.</summary>
internal abstract class OnnxInput
{
    public static OnnxInput Create(DataViewRow row, int column, int[] shape)
    {
        DataViewType type = row.Schema[column].Type;
        return type is VectorDataViewType vector
            ? Generic.Invoke<OnnxInput>(CreateVector<int>, vector.ItemType.RawType, row, column, shape)
            : Generic.Invoke<OnnxInput>(CreateScalar<int>, type.RawType, row, column);
    }

    public abstract NamedOnnxValue Fetch();

    private static OnnxInput CreateVector<T>(DataViewRow row, int column, int[] shape) => new VectorInput<T>(row, row.Schema[column], shape);

    private static OnnxInput CreateScalar<T>(DataViewRow row, int column) => new ScalarInput<T>(row, row.Schema[column]);

    private static NamedOnnxValue Tensor<T>(string name, T[] values, int[] dimensions) =>
        values is ReadOnlyMemory<char>[] texts
            ? NamedOnnxValue.CreateFromTensor(name, new DenseTensor<string>(texts.Select(text => text.ToString()).ToArray(), dimensions))
            : NamedOnnxValue.CreateFromTensor(name, new DenseTensor<T>(values, dimensions));

    private sealed class ScalarInput<T>(DataViewRow row, DataViewSchema.Column column) : OnnxInput
    {
        private readonly ValueGetter<T> _getValue = row.GetGetter<T>(column);

        public override NamedOnnxValue Fetch()
        {
            T value = default;
            _getValue(ref value);
            return Tensor(column.Name, [value], [1, 1]);
        }
    }

    private sealed class VectorInput<T>(DataViewRow row, DataViewSchema.Column column, int[] shape) : OnnxInput
    {
        private readonly ValueGetter<VBuffer<T>> _getValue = row.GetGetter<VBuffer<T>>(column);
        private readonly bool _isKnownSize = column.Type.IsKnownSizeVector();
        private VBuffer<T> _value;

        public override NamedOnnxValue Fetch()
        {
            _getValue(ref _value);
            // A new array for every row: ONNX Runtime reads it where it lies.
            var values = new T[_value.Length];
            _value.CopyTo(values);
            int[] dimensions = [.. shape];
            int unknown = Array.IndexOf(shape, 0);
            if (!_isKnownSize && unknown >= 0)
                dimensions[unknown] = values.Length / shape.Where(d => d > 0).Aggregate(1, (a, b) => a * b);
            return Tensor(column.Name, values, dimensions);
        }
    }
}
