using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Transforms.Onnx;

/// <summary>The declared type of a tensor.</summary>
/// <param name="ItemType">The type of its elements.</param>
/// <param name="Dimensions">Its dimensions; those that are not known are 0, but for the first: that is the batch, and becomes 1.</param>
internal sealed record OnnxTensorType(PrimitiveDataViewType ItemType, int[] Dimensions)
{
    private const int TypeTensor = 1;
    private const int TensorElement = 1;
    private const int TensorShape = 2;
    private const int ShapeDimension = 1;
    private const int DimensionValue = 1;

    /// <summary>A scalar where there are no dimensions, a vector of unknown size where one of them is unknown.</summary>
    public DataViewType DataViewType =>
        Dimensions.Length == 0 ? ItemType
        : Dimensions.All(d => d > 0) ? new VectorDataViewType(ItemType, Dimensions)
        : new VectorDataViewType(ItemType);

    public static OnnxTensorType Read(ReadOnlySpan<byte> content)
    {
        var reader = new ProtoReader(content);
        while (reader.Next())
        {
            if (reader.Field == TypeTensor)
                return ReadTensor(reader.Content);
        }

        throw Contracts.Except("Unsupported ONNX variable type: only tensors are supported.");
    }

    private static OnnxTensorType ReadTensor(ReadOnlySpan<byte> content)
    {
        PrimitiveDataViewType itemType = null;
        var dimensions = new List<int>();
        var reader = new ProtoReader(content);
        while (reader.Next())
        {
            if (reader.Field == TensorElement)
                itemType = ItemTypeOf(reader.Integer);
            else if (reader.Field == TensorShape)
                dimensions = ReadShape(reader.Content);
        }

        if (dimensions.Count > 0 && dimensions[0] <= 0)
            dimensions[0] = 1;
        return new OnnxTensorType(itemType, [.. dimensions]);
    }

    private static List<int> ReadShape(ReadOnlySpan<byte> content)
    {
        var dimensions = new List<int>();
        var reader = new ProtoReader(content);
        while (reader.Next())
        {
            if (reader.Field == ShapeDimension)
                dimensions.Add(ReadDimension(reader.Content));
        }

        return dimensions;
    }

    private static int ReadDimension(ReadOnlySpan<byte> content)
    {
        var reader = new ProtoReader(content);
        while (reader.Next())
        {
            if (reader.Field == DimensionValue)
                return reader.Integer > 0 ? checked((int)reader.Integer) : 0;
        }

        return 0;
    }

    private static PrimitiveDataViewType ItemTypeOf(long elementType) => elementType switch
    {
        1 => NumberDataViewType.Single,
        2 => NumberDataViewType.Byte,
        3 => NumberDataViewType.SByte,
        4 => NumberDataViewType.UInt16,
        5 => NumberDataViewType.Int16,
        6 => NumberDataViewType.Int32,
        7 => NumberDataViewType.Int64,
        8 => TextDataViewType.Instance,
        9 => BooleanDataViewType.Instance,
        11 => NumberDataViewType.Double,
        12 => NumberDataViewType.UInt32,
        13 => NumberDataViewType.UInt64,
        _ => throw Contracts.Except($"Unsupported ONNX scalar type: {elementType}"),
    };
}
