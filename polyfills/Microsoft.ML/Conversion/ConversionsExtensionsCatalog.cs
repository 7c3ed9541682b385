using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using Microsoft.ML.Transforms;

namespace Microsoft.ML;

/// <summary>Transforms between types of values.</summary>
public static class ConversionsExtensionsCatalog
{
    private const int DefaultMaximum = 1000000;

    public static TypeConvertingEstimator ConvertType(
        this TransformsCatalog.ConversionTransforms catalog, string outputColumnName, string inputColumnName = null,
        DataKind outputKind = DataKind.Single) =>
        new(catalog.GetEnvironment(), outputKind, (outputColumnName, inputColumnName ?? outputColumnName));

    public static TypeConvertingEstimator ConvertType(
        this TransformsCatalog.ConversionTransforms catalog, InputOutputColumnPair[] columns, DataKind outputKind = DataKind.Single) =>
        new(catalog.GetEnvironment(), outputKind, Pairs(catalog, columns));

    public static KeyToValueMappingEstimator MapKeyToValue(
        this TransformsCatalog.ConversionTransforms catalog, string outputColumnName, string inputColumnName = null) =>
        new(catalog.GetEnvironment(), (outputColumnName, inputColumnName ?? outputColumnName));

    public static KeyToValueMappingEstimator MapKeyToValue(this TransformsCatalog.ConversionTransforms catalog, InputOutputColumnPair[] columns) =>
        new(catalog.GetEnvironment(), Pairs(catalog, columns));

    public static KeyToVectorMappingEstimator MapKeyToVector(
        this TransformsCatalog.ConversionTransforms catalog, string outputColumnName, string inputColumnName = null,
        bool outputCountVector = false) =>
        new(catalog.GetEnvironment(), outputCountVector, (outputColumnName, inputColumnName ?? outputColumnName));

    public static KeyToVectorMappingEstimator MapKeyToVector(
        this TransformsCatalog.ConversionTransforms catalog, InputOutputColumnPair[] columns, bool outputCountVector = false) =>
        new(catalog.GetEnvironment(), outputCountVector, Pairs(catalog, columns));

    public static ValueToKeyMappingEstimator MapValueToKey(
        this TransformsCatalog.ConversionTransforms catalog, string outputColumnName, string inputColumnName = null,
        int maximumNumberOfKeys = DefaultMaximum,
        ValueToKeyMappingEstimator.KeyOrdinality keyOrdinality = ValueToKeyMappingEstimator.KeyOrdinality.ByOccurrence,
        bool addKeyValueAnnotationsAsText = false, IDataView keyData = null)
    {
        if (string.IsNullOrWhiteSpace(outputColumnName))
            throw Contracts.ExceptWhiteSpace(null, nameof(outputColumnName));
        return new(
            catalog.GetEnvironment(), [(outputColumnName, inputColumnName ?? outputColumnName)],
            new KeyMappingOptions(maximumNumberOfKeys, keyOrdinality, addKeyValueAnnotationsAsText, keyData));
    }

    public static ValueToKeyMappingEstimator MapValueToKey(
        this TransformsCatalog.ConversionTransforms catalog, InputOutputColumnPair[] columns,
        int maximumNumberOfKeys = DefaultMaximum,
        ValueToKeyMappingEstimator.KeyOrdinality keyOrdinality = ValueToKeyMappingEstimator.KeyOrdinality.ByOccurrence,
        bool addKeyValueAnnotationsAsText = false, IDataView keyData = null) =>
        new(
            catalog.GetEnvironment(), Pairs(catalog, columns),
            new KeyMappingOptions(maximumNumberOfKeys, keyOrdinality, addKeyValueAnnotationsAsText, keyData));

    private static (string outputColumnName, string inputColumnName)[] Pairs(IInternalCatalog catalog, InputOutputColumnPair[] columns)
    {
        catalog.Environment.CheckValue(columns, nameof(columns));
        return InputOutputColumnPair.ConvertToValueTuples(columns);
    }
}
