using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Transforms.Image;

/// <summary>What the estimators of pictures demand of their input.</summary>
internal static class ImageShapes
{
    public static SchemaShape.Column CheckImage(IExceptionContext ctx, SchemaShape inputSchema, string name)
    {
        if (!inputSchema.TryFindColumn(name, out SchemaShape.Column column))
            throw ctx.ExceptSchemaMismatch(nameof(inputSchema), "input", name);
        if (column.ItemType is not ImageDataViewType || column.Kind != SchemaShape.Column.VectorKind.Scalar)
            throw ctx.ExceptSchemaMismatch(nameof(inputSchema), "input", name, new ImageDataViewType().ToString(), column.GetTypeString());
        return column;
    }
}
