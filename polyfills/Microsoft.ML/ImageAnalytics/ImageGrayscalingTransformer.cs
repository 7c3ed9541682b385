using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Transforms.Image;

/// <summary>Takes the colour out of pictures.</summary>
[LoadableModel(LoaderSignature)]
public sealed class ImageGrayscalingTransformer : OneToOneTransformerBase
{
    internal const string LoaderSignature = "ImageGrayscaleTransform";
    private const string RegistrationName = "ImageGrayscale";

    internal ImageGrayscalingTransformer(IHostEnvironment env, string outputColumnName, string inputColumnName)
        : base(Contracts.CheckRef(env, nameof(env)).Register(RegistrationName), (outputColumnName, inputColumnName))
    {
    }

    private ImageGrayscalingTransformer(IHost host, ModelLoadContext ctx)
        : base(host, ctx)
    {
    }

    private static ImageGrayscalingTransformer Create(IHostEnvironment env, ModelLoadContext ctx) => new(env.Register(RegistrationName), ctx);

    private protected override void SaveModel(ModelSaveContext ctx)
    {
        ctx.CheckAtModel();
        ctx.SetVersionInfo(LoaderSignature);
        SaveColumns(ctx);
    }

    private protected override void CheckInputColumn(DataViewSchema inputSchema, int col, int srcCol)
    {
        DataViewType type = inputSchema[srcCol].Type;
        if (type is not ImageDataViewType)
            throw Host.ExceptSchemaMismatch(nameof(inputSchema), "input", ColumnPairs[col].inputColumnName, "image", type.ToString());
    }

    private protected override IRowMapper MakeRowMapper(DataViewSchema schema) => new Mapper(this, schema);

    private sealed class Mapper(ImageGrayscalingTransformer parent, DataViewSchema inputSchema)
        : OneToOneMapperBase(parent.Host.Register(nameof(Mapper)), parent, inputSchema)
    {
        protected override DataViewSchema.DetachedColumn[] GetOutputColumnsCore() =>
            [new(parent.ColumnPairs[0].outputColumnName, InputSchema[ColMapNewToOld[0]].Type)];

        protected override Delegate MakeGetter(DataViewRow input, int iinfo, Func<int, bool> activeOutput, out Action disposer)
        {
            ValueGetter<MLImage> getSource = input.GetGetter<MLImage>(input.Schema[ColMapNewToOld[iinfo]]);
            MLImage source = null;
            disposer = () =>
            {
                source?.Dispose();
                source = null;
            };
            return (ValueGetter<MLImage>)((ref MLImage dst) =>
            {
                dst?.Dispose();
                getSource(ref source);
                if (source == null || source.Height <= 0 || source.Width <= 0)
                    return;
                dst = source.CloneWithGrayscale();
                dst.Tag = source.Tag;
            });
        }
    }
}
