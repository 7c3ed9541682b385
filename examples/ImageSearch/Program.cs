using System.CommandLine;
using Examples;
using ImageSearch;

// Finds the images of a folder that are most like one: ImageSearch index --images DIR --encoder FILE, then ImageSearch query FILE.
var index = new Option<DirectoryInfo>("--index")
{
    Description = "Where the embeddings are kept.", DefaultValueFactory = _ => new DirectoryInfo("runs/search"),
}.Require(folder => !File.Exists(folder.FullName), "a folder or the name of a new one");
var gpu = new Option<int?>("--gpu") { Description = "Number of the CUDA device to run on. Default: the CPU." }
    .Require(gpu => gpu >= 0, "the number of a CUDA device, from 0");

var images = new Option<DirectoryInfo>("--images") { Description = "A folder of images, at any depth.", Required = true }
    .Require(folder => folder.Exists, "a folder that is there");
var encoder = new Option<FileInfo>("--encoder")
{
    Description = "An encoder, as PretrainOnYourPhotos writes it: encoder.safetensors.", Required = true,
}.Require(file => file.Exists && file.Extension == ".safetensors", "a file *.safetensors that is there");
var indexCommand = new Command("index", "Embeds the images of a folder, once.") { images, encoder, index, gpu };
indexCommand.SetAction((parsed, cancellation) => Outcome.Of(() =>
    Search.Index(parsed.GetValue(images)!, parsed.GetValue(encoder)!, parsed.GetValue(index)!, parsed.GetValue(gpu), cancellation)));

var asked = new Argument<FileInfo[]>("images") { Description = "The images asked about.", Arity = ArgumentArity.OneOrMore };
var count = new Option<int>("--count") { Description = "How many to find.", DefaultValueFactory = _ => 12 }
    .Require(count => count >= 1, "a whole number, at least 1");
var page = new Option<FileInfo>("--out")
{
    Description = "The page of results.", DefaultValueFactory = _ => new FileInfo("runs/search/results.html"),
}.Require(page => !Directory.Exists(page.FullName), "a file or the name of a new one");
var queryCommand = new Command("query", "Finds the images that are most like those asked about.") { asked, index, count, page, gpu };
queryCommand.SetAction((parsed, cancellation) => Outcome.Of(() =>
    Search.Query(parsed.GetValue(asked)!, parsed.GetValue(index)!, parsed.GetValue(count), parsed.GetValue(page)!, parsed.GetValue(gpu), cancellation)));

return await Outcome.Of(new RootCommand("Finds images by likeness.") { indexCommand, queryCommand }, args);
