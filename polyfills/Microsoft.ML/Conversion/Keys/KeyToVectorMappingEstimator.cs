using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using VectorKind = Microsoft.ML.SchemaShape.Column.VectorKind;

namespace Microsoft.ML.Transforms;

/// <summary>Turns keys into indicator vectors.</summary>
public sealed class KeyToVectorMappingEstimator : TrivialEstimator<KeyToVectorMappingTransformer>
{
    internal KeyToVectorMappingEstimator(
        IHostEnvironment env, bool outputCountVector, params (string outputColumnName, string inputColumnName)[] columns)
        : base(
            Contracts.CheckRef(env, nameof(env)).Register(nameof(KeyToVectorMappingEstimator)),
            new KeyToVectorMappingTransformer(env, outputCountVector, columns))
    {
    }

    public override SchemaShape GetOutputSchema(SchemaShape inputSchema)
    {
        Host.CheckValue(inputSchema, nameof(inputSchema));
        return inputSchema.With(Transformer.ColumnPairs.Select(Indicators));

        SchemaShape.Column Indicators((string Output, string Input) pair)
        {
            if (!inputSchema.TryFindColumn(pair.Input, out SchemaShape.Column source) || !source.ItemType.IsStandardScalar())
                throw Host.ExceptSchemaMismatch(nameof(inputSchema), "input", pair.Input);
            bool counts = Transformer.OutputCountVector;
            bool variable = source.Kind == VectorKind.VariableVector;
            var annotations = new List<SchemaShape.Column>();
            if (source.Annotations.TryFindColumn(AnnotationUtils.Kinds.KeyValues, out SchemaShape.Column values)
                && values.ItemType is TextDataViewType && ((counts && source.IsKey) || !variable))
                annotations.Add(new(AnnotationUtils.Kinds.SlotNames, VectorKind.Vector, TextDataViewType.Instance, false));
            if (!counts && !variable)
                annotations.Add(new(AnnotationUtils.Kinds.CategoricalSlotRanges, VectorKind.Vector, NumberDataViewType.Int32, false));
            if (!counts || source.Kind == VectorKind.Scalar)
                annotations.Add(new(AnnotationUtils.Kinds.IsNormalized, VectorKind.Scalar, BooleanDataViewType.Instance, false));
            VectorKind kind = variable && !counts ? VectorKind.VariableVector : VectorKind.Vector;
            return new SchemaShape.Column(pair.Output, kind, NumberDataViewType.Single, false, new SchemaShape(annotations));
        }
    }
}
