using Microsoft.ML;
using Microsoft.ML.Data;
using Smae.MLNet;

namespace Quickstart;

/// <summary>The images for training and those for validation: columns <c>ImagePath</c> and <c>Label</c>.</summary>
internal sealed record ImageSets(IDataView Train, IDataView Validation)
{
    /// <summary>Loads a folder that has both sets, or splits one that has not.</summary>
    /// <exception cref="ArgumentException">There are images of one class only.</exception>
    public static ImageSets Load(MLContext ml, string folder)
    {
        ImageSets images;
        try
        {
            images = new ImageSets(ml.Data.LoadImageFolder(folder, ImageFolderSplit.Train), ml.Data.LoadImageFolder(folder, ImageFolderSplit.Validation));
        }
        catch (ArgumentException e) when (e.ParamName == "split")   // class folders without train and val: keep a random fifth for validation
        {
            var split = ml.Data.TrainTestSplit(ml.Data.LoadImageFolder(folder), testFraction: 0.2);
            images = new ImageSets(split.TrainSet, split.TestSet);
        }
        if (images.Train.GetColumn<string>("Label").Distinct().Take(2).Count() < 2)
            throw new ArgumentException($"'{folder}' has images of one class only: classification needs labels, so put the images of each class into a folder of their own.");
        return images;
    }

    public static long Count(IDataView view) => view.GetRowCount() ?? view.GetColumn<string>("ImagePath").LongCount();
}
