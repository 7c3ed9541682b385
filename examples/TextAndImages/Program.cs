using System.CommandLine;
using Examples;
using TextAndImages;

// Tells a product's category by its title and by its picture: TextAndImages --products FILE [--encoder FILE].
var products = new Option<FileInfo>("--products")
{
    Description = "A table with tabs and a first line of names: title, picture (a path, seen from the table), category.", Required = true,
}.Require(file => file.Exists, "a file that is there");
var encoder = new Option<FileInfo?>("--encoder")
{
    Description = "A pretrained encoder, as PretrainOnYourPhotos writes it. Default: one is pretrained on the pictures of the table.",
}.Require(file => file is { Exists: true }, "a file that is there");
var pretrainedText = new Option<bool>("--pretrained-text")
{
    Description = "Titles go to the text classifier of Microsoft.ML.TorchSharp. See the README first.",
};
var textEpochs = new Option<int>("--text-epochs") { Description = "Passes of that classifier over the titles.", DefaultValueFactory = _ => 5 }
    .Require(count => count >= 1, "a whole number, at least 1");
var imageEpochs = new Option<int>("--image-epochs") { Description = "Passes over the pictures.", DefaultValueFactory = _ => 30 }
    .Require(count => count >= 1, "a whole number, at least 1");
var seed = new Option<int>("--seed") { Description = "Seed of everything random.", DefaultValueFactory = _ => 1 }.Require(_ => true, "a whole number");
var gpu = new Option<int?>("--gpu") { Description = "Number of the CUDA device to run both on. Default: the CPU." }
    .Require(gpu => gpu >= 0, "the number of a CUDA device, from 0");

var command = new RootCommand("Classifies products by title and picture.") { products, encoder, pretrainedText, textEpochs, imageEpochs, seed, gpu };
command.SetAction((parsed, cancellation) =>
{
    var settings = new ProductSettings(
        parsed.GetValue(products)!, parsed.GetValue(encoder), parsed.GetValue(pretrainedText), parsed.GetValue(textEpochs), parsed.GetValue(imageEpochs),
        parsed.GetValue(seed), parsed.GetValue(gpu));
    return Outcome.Of(() => ProductRun.Run(settings, cancellation));
});
return await Outcome.Of(command, args);
