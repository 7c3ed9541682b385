using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Transforms.Onnx;

/// <summary>Scores by an ONNX model.</summary>
public sealed class OnnxScoringEstimator : TrivialEstimator<OnnxTransformer>
{
    internal OnnxScoringEstimator(IHostEnvironment env, OnnxTransformer transformer)
        : base(Contracts.CheckRef(env, nameof(env)).Register(nameof(OnnxTransformer)), transformer)
    {
    }

    public override SchemaShape GetOutputSchema(SchemaShape inputSchema)
    {
        Host.CheckValue(inputSchema, nameof(inputSchema));
        foreach (string input in Transformer.Inputs)
        {
            if (!inputSchema.TryFindColumn(input, out SchemaShape.Column column))
                throw Host.ExceptSchemaMismatch(nameof(inputSchema), "input", input);
            OnnxVariable variable = Array.Find(Transformer.Model.Inputs, v => v.Name == input)
                ?? throw Host.Except($"Column {input} doesn't match input node names of model.");
            PrimitiveDataViewType expected = ((VectorDataViewType)variable.Type).ItemType;
            if (column.ItemType != expected)
                throw Host.ExceptSchemaMismatch(nameof(inputSchema), "input", input, expected.ToString(), column.ItemType.ToString());
        }

        return inputSchema.With(Transformer.OutputVariables.Select(ShapeOf));
    }

    private static SchemaShape.Column ShapeOf(OnnxVariable output) =>
        new(
            output.Name,
            output.Type.IsKnownSizeVector() ? SchemaShape.Column.VectorKind.Vector : SchemaShape.Column.VectorKind.VariableVector,
            output.Type.GetItemType(),
            false);
}
