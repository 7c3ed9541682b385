using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Image;
using Smae.Export;
using Smae.Training;

namespace Smae.MLNet;

/// <summary>
/// Saves an image model as a chain of ML.NET's own transformers: ML.NET loads only types that its own assemblies register, so a type of ours in a model
/// file could never be read again, while such a chain loads in any application with Microsoft.ML, Microsoft.ML.ImageAnalytics,
/// Microsoft.ML.OnnxTransformer and ONNX Runtime.
/// </summary>
/// <param name="inputColumnName">The column of images.</param>
/// <param name="kind">What it holds.</param>
/// <param name="preprocessing">What is done to an image first.</param>
internal sealed class SavedChain(string inputColumnName, ImageColumnKind kind, ImagePreprocessing preprocessing)
{
    // Columns of the chain that it drops again. Named so that they are nobody else's.
    private const string Loaded = "smae.image", Resized = "smae.resized", Pixels = "smae.pixels";

    /// <summary>Saves the chain.</summary>
    /// <param name="context">Where to.</param>
    /// <param name="onnxFile">A file of Smae with the model.</param>
    /// <param name="output">Which of its outputs is wanted.</param>
    /// <param name="outputColumnName">The column of that output.</param>
    /// <exception cref="NotSupportedException">ML.NET has nothing of its own that makes images of such a column.</exception>
    public void Save(ModelSaveContext context, string onnxFile, OnnxOutputInfo output, string outputColumnName)
    {
        DirectoryInfo temporary = Directory.CreateTempSubdirectory("smae-save-");
        try
        {
            // OnnxTransformer reads the file again when it saves: it has to be there until then.
            string file = Path.Combine(temporary.FullName, "model.onnx");
            PipelineModel.Write(onnxFile, file, Pixels, output, outputColumnName);
            using TransformerChain<ITransformer> chain = Chain(file, outputColumnName);
            ((ICanSaveModel)chain).Save(context);
        }
        finally
        {
            temporary.Delete(recursive: true);
        }
    }

    private TransformerChain<ITransformer> Chain(string file, string outputColumnName)
    {
        TransformsCatalog ml = new MLContext().Transforms;
        var schema = new DataViewSchema.Builder();
        schema.AddColumn(inputColumnName, kind == ImageColumnKind.Path ? TextDataViewType.Instance : new ImageDataViewType());
        IDataView data = new SchemaOnlyView(schema.ToSchema());
        List<ITransformer> steps = [];
        void Add(IEstimator<ITransformer> step)
        {
            steps.Add(step.Fit(data));
            data = steps[^1].Transform(data);
        }

        bool loads = kind == ImageColumnKind.Path;
        if (kind == ImageColumnKind.Bytes)
            throw new NotSupportedException(
                $"Column '{inputColumnName}' holds the bytes of image files, and ML.NET has no transform that decodes these: a saved model could not read them. " +
                "Fit on a column of paths or of MLImage, and save that.");
        if (loads)
            Add(ml.LoadImages(Loaded, "", inputColumnName));
        Add(ml.ResizeImages(
            Resized, preprocessing.Width, preprocessing.Height, loads ? Loaded : inputColumnName, ImageResizer.KindOf(preprocessing.Resize)));
        var colors = PipelineModel.ExtractedChannels(preprocessing) == 4
            ? ImagePixelExtractingEstimator.ColorBits.All
            : ImagePixelExtractingEstimator.ColorBits.Rgb;
        Add(ml.ExtractPixels(Pixels, Resized, colors, interleavePixelColors: true, outputAsFloatArray: false));
        Add(ml.ApplyOnnxModel([outputColumnName], [Pixels], file));
        Add(ml.DropColumns(loads ? [Loaded, Resized, Pixels] : [Resized, Pixels]));
        return new TransformerChain<ITransformer>([.. steps]);
    }
}
